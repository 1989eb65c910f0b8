-- Rows of the target, in the ranges that differ, whose key the source no longer has.
DELETE FROM {rows} t
USING {ranges}
WHERE {in_a_range} AND NOT EXISTS (SELECT FROM {stage} s WHERE {same_key})
