-- Whether a sub of production is two subs in staging, or the other way round.
SELECT count(source_sub) <> count(DISTINCT source_sub) OR count(target_sub) <> count(DISTINCT target_sub)
FROM {people}
