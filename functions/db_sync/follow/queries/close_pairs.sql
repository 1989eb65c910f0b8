-- Whoever has A in production and B in staging, where nobody has A: B in production means nobody, and
-- becomes A. So every value has one counterpart on the other side, and only one.
INSERT INTO {people} (source_sub, target_sub)
SELECT p.target_sub, p.source_sub
FROM {people} p
WHERE NOT EXISTS (SELECT FROM {people} o WHERE o.source_sub = p.target_sub)
  AND NOT EXISTS (SELECT FROM {people} o WHERE o.target_sub = p.source_sub)
