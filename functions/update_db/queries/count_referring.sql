-- Rows at the end of a chain of foreign keys that begins at the users whose sub changes; and those
-- of them that begin where it becomes NULL. A value of the row's own still leads to that row.
SELECT
    count(*) AS changed,
    count(*) FILTER (WHERE d.is_released AND d.status <> 'updated' AND {unlinked} IS NULL) AS emptied
FROM staging_sync_decisions d
{chain}
WHERE d.old_sub IS NOT NULL AND (d.is_released OR d.status = 'updated')
