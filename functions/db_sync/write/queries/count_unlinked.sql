-- How many rows that stay hold a kept, unique value that another row brings.
SELECT count(*)
FROM (
    SELECT {key}
    FROM {rows} t
    WHERE NOT EXISTS (
        SELECT FROM {changes} c WHERE c.staging_sync_table = t.tableoid AND c.staging_sync_row = t.ctid
    ) AND NOT EXISTS (
        SELECT FROM {gone} g WHERE g.staging_sync_table = t.tableoid AND g.staging_sync_row = t.ctid
    )
    UNION ALL
    SELECT {key}
    FROM {changes}
    WHERE staging_sync_row IS NOT NULL AND NOT {brings}
) AS stays
WHERE {is_brought}
