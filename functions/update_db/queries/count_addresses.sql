-- For a remap that matched nobody: how many rows there are, how many have an @ in their email, and
-- how many emails the pool has.
SELECT
    count(*) FILTER (WHERE row_place IS NOT NULL),
    count(*) FILTER (WHERE row_place IS NOT NULL AND email LIKE '%@%'),
    count(*) FILTER (WHERE row_place IS NULL AND email IS NOT NULL)
FROM staging_sync_decisions
