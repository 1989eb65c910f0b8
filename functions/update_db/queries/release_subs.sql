-- Takes every sub away from rows that do not own it, before its owner gets it: an immediate unique
-- constraint would refuse two rows that swap their subs. A row that gets another sub afterwards has a
-- random one until then, and not NULL: UNIQUE NULLS NOT DISTINCT allows only one NULL.
UPDATE {users} AS u
SET {sub} = CASE d.status WHEN 'updated' THEN {placeholder} ELSE CAST(d.unlinked_sub AS {sub_type}) END
FROM (
    SELECT status, unlinked_sub, row_table, row_place
    FROM staging_sync_others
    WHERE is_released
    ORDER BY row_table, row_place -- as they lie on the disk
    OFFSET 0
) AS d
WHERE u.tableoid = d.row_table AND u.ctid = d.row_place
