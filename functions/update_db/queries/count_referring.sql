-- Rows at the end of a chain of foreign keys that starts at a user whose sub changes, and how many of
-- them at one whose sub becomes NULL. A unique unlinked value still leads to its user.
SELECT
    count(*) AS changed,
    count(*) FILTER (WHERE d.is_released AND d.status <> 'updated' AND {unlinked} IS NULL) AS emptied
FROM staging_sync_decisions d
{chain}
WHERE d.old_sub IS NOT NULL AND (d.is_released OR d.status = 'updated')
