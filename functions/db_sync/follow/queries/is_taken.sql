-- Whether production has somebody's sub of staging, as hardly ever. Counted, since for EXISTS the
-- planner hopes to find one soon, and compares each with each.
SELECT count(*) > 0
FROM {people} p
JOIN {persons} s ON {source_sub} = p.target_sub
