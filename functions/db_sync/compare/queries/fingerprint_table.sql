-- A table's number among several, its rows, their summed hash and its stale rows; see
-- fingerprint_ranges.sql.
SELECT
    {number} AS number,
    pg_catalog.count(*) AS rows,
    coalesce(pg_catalog.mod(pg_catalog.sum({hash}), 9223372036854775807), 0) AS hash,
    {stale} AS stale
FROM {rows} {generated}
