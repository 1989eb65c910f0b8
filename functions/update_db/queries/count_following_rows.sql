-- How many rows have a sub that moves in a column that holds several.
SELECT count(*)
FROM (
    SELECT
    FROM {rows} AS t
    CROSS JOIN LATERAL {held} AS h
    JOIN staging_sync_moves m ON m.old = h.sub
    WHERE m.new IS NOT NULL
    GROUP BY t.tableoid, t.ctid
) AS following
