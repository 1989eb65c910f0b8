-- Keys that divide some of a table's rows into parts of about as many rows each, by a sample of its
-- blocks: the first key of each part but the first one, as text.
SELECT {texts}
FROM (
    SELECT
        {columns},
        pg_catalog.row_number() OVER (ORDER BY {values}) AS staging_sync_number,
        pg_catalog.count(*) OVER () AS staging_sync_rows
    FROM {table} t TABLESAMPLE SYSTEM ({percent})
    WHERE {which}
) t
WHERE (staging_sync_number - 1) * {parts} / staging_sync_rows
    > (staging_sync_number - 2) * {parts} / staging_sync_rows
    AND staging_sync_number > 1
ORDER BY staging_sync_number
