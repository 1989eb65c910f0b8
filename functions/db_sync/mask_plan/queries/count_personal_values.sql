-- For each column of a sample how many values are not empty, and how many of these match each pattern.
-- Only the numbers leave the source.
SELECT texts.number, pg_catalog.count(*), ARRAY[{matches}]
FROM {rows}
CROSS JOIN LATERAL (VALUES {values}) texts (number, value)
WHERE texts.value <> ''
GROUP BY texts.number
