-- How many rows have a sub that belongs to a matched row, and how many of them are that row: they have
-- its ctid, if they were not updated, or its email.
SELECT
    count(*),
    count(*) FILTER (
        WHERE (u.tableoid = d.row_table AND u.ctid = d.row_place) OR {row_email} = d.email
    )
FROM {users} AS u
JOIN staging_sync_decisions d ON d.new_sub = {row_sub}
WHERE {is_checked}
