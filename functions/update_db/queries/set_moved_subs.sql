-- Gives the remaining matched rows their subs: their ctid changed, because a sub was taken away from
-- them or a trigger updated them. An email that is not ambiguous finds one row.
UPDATE {users} AS u
SET {sub} = CAST(d.new_sub AS {sub_type})
FROM staging_sync_decisions d
WHERE d.status = 'updated' AND {row_email} = d.email AND {row_sub} IS DISTINCT FROM d.new_sub
  AND {is_person}
