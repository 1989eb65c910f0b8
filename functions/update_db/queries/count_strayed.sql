-- How many subs a column that follows does not hold as often as it should after the writing: each as
-- often as those that became it were held before. A sub that was taken away is held by nobody.
WITH expected AS (
    SELECT coalesce(m.new, h.sub) AS sub, sum(h.occurrences) AS occurrences
    FROM staging_sync_held h
    LEFT JOIN staging_sync_moves m ON m.old = h.sub
    WHERE h.follower = {number}
    GROUP BY 1
), found AS (
    SELECT h.sub, count(*) AS occurrences
    FROM {rows} AS t
    CROSS JOIN LATERAL {held} AS h
    JOIN (
        SELECT old AS sub FROM staging_sync_moves
        UNION
        SELECT new FROM staging_sync_moves
        UNION
        SELECT meanwhile FROM staging_sync_moves
    ) AS involved ON involved.sub = h.sub
    GROUP BY h.sub
)
SELECT count(*)
FROM expected
FULL JOIN found ON found.sub = expected.sub
WHERE found.occurrences IS DISTINCT FROM expected.occurrences
