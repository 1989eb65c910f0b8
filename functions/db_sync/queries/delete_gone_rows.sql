-- Rows of the target, in the ranges that differ, whose key the source no longer has.
DELETE FROM {rows} d
USING (
    SELECT t.tableoid, t.ctid
    FROM {in_ranges}
    WHERE NOT EXISTS (SELECT FROM {stage} s WHERE {same_key})
) gone
WHERE d.tableoid = gone.tableoid AND d.ctid = gone.ctid
