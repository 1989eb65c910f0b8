-- Users that have another sub than they were to have.
SELECT count(*)
FROM {persons} s
JOIN {users} t ON {same_key}
LEFT JOIN {people} p ON p.source_sub = {source_sub}
WHERE {source_sub} IS NOT NULL AND {target_sub} <> coalesce(p.target_sub, {source_sub})
