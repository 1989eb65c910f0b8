-- Rows of users that stay and have another sub than in production, whom their key tells.
INSERT INTO {people} (source_sub, target_sub, unlinked)
SELECT {source_sub}, {target_sub}, {unlinked}
FROM {persons} s
JOIN {users} t ON {same_key}
WHERE NOT {takes} AND {source_sub} IS DISTINCT FROM {target_sub}
