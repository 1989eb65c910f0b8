-- Rows that are not people and have a sub that belongs to a person: they lose it.
INSERT INTO staging_sync_decisions (
    email, status, old_sub, is_released, row_table, row_place, reason
)
SELECT
    {row_email}, 'unlinked', {row_sub}, true, u.tableoid, u.ctid,
    'the sub belongs to another row; users_where leaves this one out'
FROM {users} AS u
WHERE NOT {is_person}
  AND EXISTS (SELECT FROM staging_sync_decisions d WHERE d.new_sub = {row_sub})
