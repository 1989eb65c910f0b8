-- In how many rows a table without a key, which may have duplicates, differs from what it was:
-- inserted, updated (none) and deleted ones.
SELECT coalesce(sum(greatest(more, 0)), 0), 0, coalesce(sum(greatest(-more, 0)), 0)
FROM (
    SELECT sum(side) AS more
    FROM (
        SELECT hash, 1 AS side FROM ({after}) source_rows
        UNION ALL
        SELECT hash, -1 FROM ({before}) target_rows
    ) sides
    GROUP BY hash
) hashes
