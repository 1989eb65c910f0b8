-- Where the target's rows are, in the ranges that differ, whose key the source no longer has.
-- Into a table of its own: of one statement with the deletion, the planner expects so many rows
-- that it reads the whole target to find them.
SELECT t.staging_sync_table, t.staging_sync_row
FROM {keys_in_ranges} t
WHERE NOT EXISTS (SELECT FROM {stage} s WHERE {same_key})
