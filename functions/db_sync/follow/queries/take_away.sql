-- Rows that stay and whose sub another row brings from production: they lose it.
UPDATE {people} p
SET target_sub = p.unlinked
FROM {persons} s
LEFT JOIN {users} t ON {same_key}
WHERE {source_sub} = p.target_sub AND {brings}
