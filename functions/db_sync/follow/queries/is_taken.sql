-- Whether production has somebody's sub of staging, as hardly ever.
SELECT EXISTS (SELECT FROM {people} p JOIN {persons} s ON {source_sub} = p.target_sub)
