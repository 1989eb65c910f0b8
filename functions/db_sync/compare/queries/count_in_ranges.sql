-- How many rows some ranges have.
SELECT count(*) FROM {rows} WHERE {number} = ANY ({numbers}::bigint[])
