-- The same where B is another person's in production, who has C in staging, and so on: the last of each
-- chain becomes the first of any.
INSERT INTO {people} (source_sub, target_sub)
SELECT last.sub, first.sub
FROM (
    SELECT target_sub AS sub, row_number() OVER (ORDER BY target_sub) AS number
    FROM {people} p
    WHERE NOT EXISTS (SELECT FROM {people} o WHERE o.source_sub = p.target_sub)
) AS last
JOIN (
    SELECT source_sub AS sub, row_number() OVER (ORDER BY source_sub) AS number
    FROM {people} p
    WHERE NOT EXISTS (SELECT FROM {people} o WHERE o.target_sub = p.source_sub)
) AS first USING (number)
