-- Staged rows whose sub is nobody's in production, and a person's in staging.
SELECT count(*)
FROM {stage} t
CROSS JOIN LATERAL {subs} h
JOIN {people} p ON p.target_sub = h.sub
WHERE NOT EXISTS (SELECT FROM {people} o WHERE o.source_sub = h.sub)
