-- People without a sub in production get one that nobody has, for whom staging's is read as that.
-- Those without one in staging are left out: what refers to them has production's.
WITH left_out AS (DELETE FROM {people} WHERE target_sub IS NULL)
UPDATE {people} p SET source_sub = {nobodys} WHERE source_sub IS NULL AND target_sub IS NOT NULL
