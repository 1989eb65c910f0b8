-- Rows of the target, changed in place; the target's own columns and its keys are as they were.
UPDATE {rows} t SET ({columns}) = ROW({new_values})
FROM {changed} c
WHERE t.tableoid = c.staging_sync_table AND t.ctid = c.staging_sync_row
