-- One line per row of the users table, and one per email of the pool that no row has.
-- `email` is trimmed and in lower case; `is_verified` is null where the pool has no such user.
CREATE TEMPORARY TABLE staging_sync_decisions (
    email text,
    status text,
    old_sub text,
    new_sub text,
    is_verified boolean,
    reason text
) ON COMMIT DROP
