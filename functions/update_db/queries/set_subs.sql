-- Gives each matched row its sub, if the row still has its ctid.
UPDATE {users} AS u
SET {sub} = CAST(d.new_sub AS {sub_type})
FROM (
    SELECT new_sub, row_table, row_place
    FROM staging_sync_others
    WHERE status = 'updated'
    ORDER BY row_table, row_place -- as they lie on the disk
    OFFSET 0
) AS d
WHERE u.tableoid = d.row_table AND u.ctid = d.row_place
