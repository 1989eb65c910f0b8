-- Which sub becomes which. If one of the rows that have a sub is its owner, what follows the sub stays.
-- An empty text that several have is no sub.
INSERT INTO staging_sync_moves (old, new, afterwards, meanwhile)
WITH moved AS MATERIALIZED (
    SELECT old_sub AS old, min(coalesce(unlinked_sub, new_sub)) AS new, count(*) AS users
    FROM staging_sync_others
    WHERE old_sub IS NOT NULL AND (is_released OR status = 'updated')
    GROUP BY old_sub
), stays AS (
    SELECT d.old_sub AS old, bool_or(d.status = 'unchanged') AS is_owned
    FROM staging_sync_decisions d
    JOIN moved ON moved.old = d.old_sub
    WHERE NOT (d.is_released OR d.status = 'updated')
    GROUP BY d.old_sub
), moves AS MATERIALIZED (
    SELECT moved.old, CASE WHEN moved.users = 1 AND stays.old IS NULL THEN moved.new END AS new
    FROM moved
    LEFT JOIN stays ON stays.old = moved.old
    WHERE stays.is_owned IS NOT TRUE
      AND (moved.old <> '' OR moved.users = 1 AND stays.old IS NULL)
)
SELECT
    coalesce(leaving.old, coming.new),
    leaving.new,
    CASE WHEN leaving.old IS NULL THEN coming.new ELSE leaving.new END,
    CASE WHEN leaving.new IS NOT NULL AND coming.new IS NOT NULL THEN gen_random_uuid()::text END
FROM moves AS leaving
FULL JOIN (SELECT new FROM moves WHERE new IS NOT NULL) AS coming ON coming.new = leaving.old
