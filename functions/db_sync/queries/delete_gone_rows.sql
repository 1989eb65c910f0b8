-- Rows of the target whose key the source no longer has.
DELETE FROM {rows} t
WHERE NOT EXISTS (SELECT FROM {stage} s WHERE {same_key})
