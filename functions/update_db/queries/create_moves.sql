-- Which sub becomes which, for the columns that follow. `new` is NULL if several rows of the users table
-- have the old one, so that nobody knows whose it is. Where a sub goes to somebody else while its rows
-- get another one, `meanwhile` is what these have in between, so that both never have the same: a unique
-- constraint would refuse that. `held` is what rows have before they get the new one.
CREATE TEMPORARY TABLE staging_sync_moves (
    old text COLLATE "C" NOT NULL,
    new text COLLATE "C",
    meanwhile text COLLATE "C",
    held text COLLATE "C" GENERATED ALWAYS AS (coalesce(meanwhile, old)) STORED
) ON COMMIT DROP;
-- How often each column that follows held a sub that moves, or that somebody gets, before the writing.
CREATE TEMPORARY TABLE staging_sync_held (
    follower int NOT NULL,
    sub text COLLATE "C" NOT NULL,
    occurrences bigint NOT NULL
) ON COMMIT DROP
