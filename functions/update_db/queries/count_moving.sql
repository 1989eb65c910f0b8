-- How many of a column's subs move, and how many would, but nobody knows whose they are.
SELECT
    coalesce(sum(h.occurrences) FILTER (WHERE m.new IS NOT NULL), 0)::bigint AS moving,
    coalesce(sum(h.occurrences) FILTER (WHERE m.new IS NULL), 0)::bigint AS shared
FROM staging_sync_held h
JOIN staging_sync_moves m ON m.old = h.sub
WHERE h.follower = {number}
