-- How many rows a table has, and how many of them are in some ranges.
SELECT count(*), count(*) FILTER (WHERE {number} = ANY ({numbers}::bigint[]))
FROM {rows}
