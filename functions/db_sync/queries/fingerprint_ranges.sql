-- Number, rows and summed hash of every range, in order. The sum does not depend on the rows'
-- order and counts duplicates; it is taken modulo 2^63 - 1, so that it is a bigint.
-- Materialized: the planner takes one group per row for granted and would sort on disk.
COPY (
    WITH ranges AS MATERIALIZED (
        SELECT {number} AS number, count(*) AS rows, mod(sum({hash}), 9223372036854775807) AS hash
        FROM {rows} t {only_ranges}
        GROUP BY 1
    )
    SELECT number, rows, hash FROM ranges ORDER BY number
) TO STDOUT
