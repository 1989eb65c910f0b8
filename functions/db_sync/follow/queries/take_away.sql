-- Rows that stay and whose sub another row brings from production: they lose it.
UPDATE {people} p
SET target_sub = {unlinked}
FROM {users} holder, {persons} s
LEFT JOIN {users} t ON {same_key}
WHERE {holder_sub} = p.target_sub AND {source_sub} = p.target_sub AND {brings}
