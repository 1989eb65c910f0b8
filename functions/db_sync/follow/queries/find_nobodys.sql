-- What is a person's sub in staging, and nobody's in production: there it means nobody, and so it must
-- in staging.
INSERT INTO {people} (source_sub, target_sub)
SELECT p.target_sub, {nobodys}
FROM {people} p
WHERE p.target_sub IS NOT NULL
  AND NOT EXISTS (SELECT FROM {people} o WHERE o.source_sub = p.target_sub)
