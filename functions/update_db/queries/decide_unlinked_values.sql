-- What the rows that lose their sub have from then on.
UPDATE staging_sync_others
SET unlinked_sub = CAST({unlinked} AS text)
WHERE is_released AND status <> 'updated'
