-- How many rows a table has, and how many of them are in some ranges.
SELECT count(*), count(*) FILTER (WHERE {are_in_ranges})
FROM {rows}
