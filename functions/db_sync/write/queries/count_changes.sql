-- How many rows a merge inserts, updates and deletes, and how many existing rows lose a value
-- because they now belong to another person.
SELECT
    count(*) FILTER (WHERE staging_sync_row IS NULL),
    count(*) FILTER (WHERE staging_sync_row IS NOT NULL),
    (SELECT count(*) FROM {gone}),
    count(*) FILTER (WHERE staging_sync_loses)
FROM {changes}
