-- One line per row of the users table, and one per email of the pool that no row has.
-- `email` is trimmed and in lower case; `is_verified` is null where the pool has no such user;
-- `new_sub` is only there where a row gets it or has it by right; `is_released`: the row holds a
-- sub that is another's. The row is found by its place: nobody else may move it.
CREATE TEMPORARY TABLE staging_sync_decisions (
    email text COLLATE "C",
    status text COLLATE "C",
    old_sub text COLLATE "C",
    new_sub text COLLATE "C",
    is_verified boolean,
    is_released boolean NOT NULL DEFAULT false,
    row_table oid,
    row_place tid,
    reason text
) ON COMMIT DROP
