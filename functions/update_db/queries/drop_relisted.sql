-- A pool that changes while it is listed may return a user twice: the newer state counts.
DELETE FROM staging_sync_pool
WHERE ctid IN (
    SELECT place
    FROM (
        SELECT
            ctid AS place,
            row_number() OVER (PARTITION BY sub ORDER BY last_modified DESC NULLS LAST) AS age
        FROM staging_sync_pool
        WHERE sub IN (SELECT sub FROM staging_sync_pool GROUP BY sub HAVING count(*) > 1)
    ) AS listed
    WHERE age > 1
)
