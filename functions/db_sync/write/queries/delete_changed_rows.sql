-- Deletes the rows of the target that will be inserted again with their new values.
DELETE FROM {rows} t
USING {changes} c
WHERE t.tableoid = c.staging_sync_table AND t.ctid = c.staging_sync_row
