-- Deletes the rows whose key the source no longer has.
DELETE FROM {rows} t
USING {gone} g
WHERE t.tableoid = g.staging_sync_table AND t.ctid = g.staging_sync_row
