-- Rows, summed hash and stale rows of every range in the order of their numbers, and last the same
-- of all ranges, with how many there are. The sum does not depend on the order of rows and counts
-- duplicates; it is taken modulo 2^63 - 1, so that it is a bigint. MATERIALIZED, since the planner
-- expects one group per row and would sort on disk.
COPY (
    WITH ranges AS MATERIALIZED (
        SELECT
            {number} AS number,
            pg_catalog.count(*) AS rows,
            pg_catalog.mod(pg_catalog.sum({hash}), 9223372036854775807) AS hash,
            {stale} AS stale
        FROM {rows} {generated}
        GROUP BY 1
    )
    SELECT number, rows, hash, stale, false AS is_total FROM ranges
    UNION ALL
    SELECT
        pg_catalog.count(*),
        coalesce(pg_catalog.sum(rows), 0),
        coalesce(pg_catalog.mod(pg_catalog.sum(hash), 9223372036854775807), 0),
        coalesce(pg_catalog.sum(stale), 0),
        true
    FROM ranges
    ORDER BY is_total, number
) TO STDOUT
