-- How many rows are new, by the number of their range, and how many are not, with NULL for it.
-- A row is new if its transaction is no older than the given age; see meanwhile.py.
SELECT number, count(*) AS rows
FROM (
    SELECT CASE WHEN pg_catalog.age(t.xmin) <= {age} THEN {number} END AS number FROM {rows}
) t
GROUP BY number
LIMIT {most}
