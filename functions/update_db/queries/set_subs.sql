-- Gives each matched row its sub; an email that is not ambiguous finds one row.
UPDATE {users} AS u
SET {sub} = CAST(d.new_sub AS {sub_type})
FROM staging_sync_decisions d
WHERE d.status = 'updated' AND {row_email} = d.email
