-- Users that do not have the sub that they were to have.
SELECT count(*)
FROM {persons} s
JOIN {users} t ON {same_key}
LEFT JOIN {people} p ON p.source_sub = {source_sub}
WHERE {source_sub} IS NOT NULL
  AND {target_sub} IS DISTINCT FROM CASE WHEN p.source_sub IS NULL THEN {source_sub} ELSE p.target_sub END
