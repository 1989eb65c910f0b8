-- Rows of the target that are inserted anew, with the values that they are to have.
DELETE FROM {rows} t
USING {changes} c
WHERE t.tableoid = c.staging_sync_table AND t.ctid = c.staging_sync_row
