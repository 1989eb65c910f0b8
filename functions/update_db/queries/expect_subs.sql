-- Notes how often a column that follows must hold each sub after the writing. Returns how many of its
-- subs move, and how many would, but nobody knows whose they are.
WITH counted AS MATERIALIZED (
    SELECT m.afterwards AS sub, count(*) AS occurrences, count(m.new) AS moving
    FROM {rows} AS t
    CROSS JOIN LATERAL {held} AS h
    JOIN staging_sync_moves m ON m.old = h.sub
    GROUP BY m.afterwards
), noted AS (
    INSERT INTO staging_sync_expected (follower, sub, occurrences)
    SELECT {number}, sub, occurrences FROM counted WHERE sub IS NOT NULL
)
SELECT
    coalesce(sum(moving), 0)::bigint,
    coalesce(sum(occurrences) FILTER (WHERE sub IS NULL), 0)::bigint
FROM counted
