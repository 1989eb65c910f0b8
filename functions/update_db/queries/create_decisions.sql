-- One decision per row of the users table, and one per email of the pool that no row has.
-- `email` is trimmed and in lower case, and masked if the sync masks it; `is_verified` is NULL if the
-- pool has no such user; `new_sub` is the sub that the row gets or already owns; `is_released`: the row
-- loses a sub that belongs to another row or user; `unlinked_sub` is what it has then, unless it gets
-- another one. The row is found by tableoid and ctid, which the table's lock keeps stable.
-- Those that change nothing, nearly all after the first remap, are apart: most statements skip them.
CREATE TEMPORARY TABLE staging_sync_decisions (
    email text COLLATE "C",
    status text COLLATE "C",
    old_sub text COLLATE "C",
    new_sub text COLLATE "C",
    is_verified boolean,
    is_released boolean NOT NULL DEFAULT false,
    unlinked_sub text COLLATE "C",
    row_table oid,
    row_place tid,
    reason text
) PARTITION BY LIST (status) ON COMMIT DROP;
CREATE TEMPORARY TABLE staging_sync_unchanged
    PARTITION OF pg_temp.staging_sync_decisions FOR VALUES IN ('unchanged') ON COMMIT DROP;
CREATE TEMPORARY TABLE staging_sync_others
    PARTITION OF pg_temp.staging_sync_decisions DEFAULT ON COMMIT DROP
