-- A sub belongs to one row: whoever else holds it loses it, unless another sub comes anyway.
UPDATE staging_sync_decisions holder
SET status = 'unlinked', reason = concat_ws('; ', 'the sub belongs to another row', holder.reason)
FROM staging_sync_decisions owner
WHERE owner.status IN ('updated', 'unchanged')
  AND owner.new_sub = holder.old_sub
  AND holder.status NOT IN ('updated', 'unchanged')
