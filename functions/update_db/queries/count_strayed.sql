-- How many subs a column that follows does not hold as often as it must. Rows that the application's
-- triggers have added may have a sub that somebody has now, but none that was taken away.
SELECT count(*)
FROM (
    SELECT sub, occurrences FROM staging_sync_expected WHERE follower = {number}
) AS expected
FULL JOIN (
    SELECT
        h.sub,
        count(*) AS occurrences,
        bool_or(m.meanwhile IS NOT NULL OR m.afterwards = m.old) AS is_somebodys
    FROM {rows} AS t
    CROSS JOIN LATERAL {held} AS h
    JOIN staging_sync_moves m ON m.old = h.sub
    GROUP BY h.sub
) AS found ON found.sub = expected.sub
WHERE found.occurrences IS DISTINCT FROM expected.occurrences
  AND NOT (
    {were_added} AND found.is_somebodys IS TRUE
    AND found.occurrences >= coalesce(expected.occurrences, 0)
  )
