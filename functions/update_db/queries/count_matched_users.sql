-- How many users of the pool have an email, and how many have one that a row has too.
WITH pool AS MATERIALIZED (
    SELECT {pool_email} AS email FROM staging_sync_pool AS p
)
SELECT
    count(*),
    count(*) FILTER (WHERE people.email IS NOT NULL)
FROM pool
LEFT JOIN (
    SELECT DISTINCT email FROM staging_sync_decisions WHERE row_place IS NOT NULL
) AS people ON people.email = pool.email
WHERE pool.email <> ''
