-- The subs that what follows holds before or after the remap: those that move, and those that somebody
-- gets. `new` is what replaces the sub, NULL if nothing does. `afterwards` is what rows with the sub have
-- in the end; NULL if several rows of the users table have it, so that nobody knows whose it is. Where a
-- sub goes to somebody else while its rows get another one, `meanwhile` is what these have in between, so
-- that both never have the same: a unique constraint would refuse that. `held` is what rows have before
-- they get the new one.
CREATE TEMPORARY TABLE staging_sync_moves (
    old text COLLATE "C" NOT NULL,
    new text COLLATE "C",
    afterwards text COLLATE "C",
    meanwhile text COLLATE "C",
    held text COLLATE "C" GENERATED ALWAYS AS (coalesce(meanwhile, old)) STORED
) ON COMMIT DROP;
-- How often each column that follows must hold a sub after the writing: as often as it held what becomes
-- that sub before.
CREATE TEMPORARY TABLE staging_sync_expected (
    follower int NOT NULL,
    sub text COLLATE "C" NOT NULL,
    occurrences bigint NOT NULL
) ON COMMIT DROP
