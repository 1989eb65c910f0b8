-- How many rows hold a sub that belongs to a matched row, and how many of them are that row.
SELECT count(*), count(*) FILTER (WHERE {row_email} = d.email)
FROM {users} AS u
JOIN staging_sync_decisions d ON d.new_sub = u.{sub}::text
