-- The ranges that have new rows. A row is new if its transaction is no older than the given age; see
-- meanwhile.py.
SELECT {number} AS number
FROM {rows}
WHERE pg_catalog.age(t.xmin) <= {age}
GROUP BY 1
LIMIT {most}
