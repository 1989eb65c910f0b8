-- Takes every sub that a row is about to get, or has by right, from whoever else holds it:
-- an immediate unique constraint would refuse two people who change places. A row that gets
-- another sub right after this holds a random one meanwhile, and not NULL: what refers to it ON
-- UPDATE CASCADE would lose it for good, and UNIQUE NULLS NOT DISTINCT takes a single NULL.
UPDATE {users} AS u
SET {sub} = CASE d.status WHEN 'updated' THEN {placeholder} ELSE {unlinked} END
FROM staging_sync_decisions d
WHERE d.is_released AND u.tableoid = d.row_table AND u.ctid = d.row_place
