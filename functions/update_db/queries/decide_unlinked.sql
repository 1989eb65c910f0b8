-- A sub belongs to one row: any other row that has it loses it, or gets another one if it is matched.
UPDATE staging_sync_others holder
SET
    is_released = true,
    status = CASE holder.status WHEN 'updated' THEN 'updated' ELSE 'unlinked' END,
    reason = CASE holder.status
        WHEN 'updated' THEN holder.reason
        ELSE concat_ws('; ', 'the sub belongs to another row', holder.reason)
    END
FROM staging_sync_decisions owner
WHERE owner.new_sub = holder.old_sub
