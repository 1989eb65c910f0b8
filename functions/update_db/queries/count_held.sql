-- How often a column that follows holds each sub that moves, or that somebody gets.
INSERT INTO staging_sync_held (follower, sub, occurrences)
SELECT {number}, h.sub, count(*)
FROM {rows} AS t
CROSS JOIN LATERAL {held} AS h
JOIN (
    SELECT old AS sub FROM staging_sync_moves
    UNION
    SELECT new FROM staging_sync_moves
) AS involved ON involved.sub = h.sub
GROUP BY h.sub
