-- How many rows a merge inserts, updates and deletes, and how many of those that stay lose a value
-- because they are another person's now.
SELECT
    count(*) FILTER (WHERE staging_sync_row IS NULL),
    count(*) FILTER (WHERE staging_sync_row IS NOT NULL),
    (SELECT count(*) FROM {gone}),
    count(*) FILTER (WHERE staging_sync_loses)
FROM {changes}
