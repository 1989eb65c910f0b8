-- The places of the target's rows, in the ranges that differ, whose key the source no longer has.
-- They get a table of their own: in one statement with the deletion, the planner would expect so
-- many rows that it would read the whole target.
SELECT t.staging_sync_table, t.staging_sync_row
FROM {keys_in_ranges} t
WHERE NOT EXISTS (SELECT FROM {stage} s WHERE {same_key})
