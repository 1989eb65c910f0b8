-- Whether two people share a sub, in production or in staging when the sync is done.
SELECT count(*) > 0
FROM (
    SELECT sub
    FROM (
        SELECT CASE WHEN p.source_sub IS NULL THEN {source_sub} ELSE p.target_sub END AS sub
        FROM {persons} s
        LEFT JOIN {people} p ON p.source_sub = {source_sub}
        UNION ALL
        SELECT target_sub FROM {people} WHERE source_sub IS NULL
    ) AS subs
    WHERE sub IS NOT NULL
    GROUP BY sub
    HAVING count(*) > 1
) AS shared
