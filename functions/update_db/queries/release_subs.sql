-- Takes every sub that a row is about to get, or has by right, from whoever else holds it:
-- an immediate unique constraint would refuse two people who change places.
UPDATE {users} AS u
SET {sub} = {unlinked}
FROM staging_sync_decisions d
WHERE d.is_released AND u.tableoid = d.row_table AND u.ctid = d.row_place
