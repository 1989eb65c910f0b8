-- Updates the rows of the target that change; the target's own columns and the key stay as they
-- are.
UPDATE {rows} t SET ({columns}) = ROW({new_values})
FROM {changed} c
WHERE t.tableoid = c.staging_sync_table AND t.ctid = c.staging_sync_row
