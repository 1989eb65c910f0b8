-- Rows of users that stay and have another sub than in production, whom their key tells.
INSERT INTO {people} (source_sub, target_sub)
SELECT DISTINCT {source_sub}, {target_sub}
FROM {persons} s
JOIN {users} t ON {same_key}
WHERE {source_sub} IS DISTINCT FROM {target_sub} AND NOT {takes}
