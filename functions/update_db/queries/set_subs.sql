-- Gives each matched row its sub, if the row still has its ctid.
UPDATE {users} AS u
SET {sub} = CAST(d.new_sub AS {sub_type})
FROM staging_sync_decisions d
WHERE d.status = 'updated' AND u.tableoid = d.row_table AND u.ctid = d.row_place
