-- The unusual addresses among those that found nobody, and what each looks like.
CREATE TEMPORARY TABLE staging_sync_looks (
    email text COLLATE "C" NOT NULL,
    look text COLLATE "C" NOT NULL
) ON COMMIT DROP
