-- The unusual addresses without a match, and what each looks like.
CREATE TEMPORARY TABLE staging_sync_looks (
    email text COLLATE "C" NOT NULL,
    look text COLLATE "C" NOT NULL
) ON COMMIT DROP
