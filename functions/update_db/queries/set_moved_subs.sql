-- Gives the other matched rows theirs: a sub was taken from them before, or a trigger wrote to
-- them. An email that is not ambiguous finds one row.
UPDATE {users} AS u
SET {sub} = CAST(d.new_sub AS {sub_type})
FROM staging_sync_decisions d
WHERE d.status = 'updated' AND {row_email} = d.email AND {row_sub} IS DISTINCT FROM d.new_sub
  AND {is_person}
