-- Users with another sub than in production, whom other columns than the key tell: each is the only one
-- with these on both sides. Whoever is not found has production's.
INSERT INTO {people} (source_sub, target_sub)
SELECT ours.sub, theirs.sub
FROM (
    SELECT {source_sub} AS sub, {source_person} AS person, count(*) OVER (PARTITION BY {source_person}) AS rows
    FROM {persons} s
) AS ours
JOIN (
    SELECT {target_sub} AS sub, {target_person} AS person, count(*) OVER (PARTITION BY {target_person}) AS rows
    FROM {users} t
) AS theirs ON theirs.person = ours.person
WHERE ours.rows = 1 AND theirs.rows = 1 AND '' <> ALL (ours.person) AND ours.sub <> theirs.sub
