-- What rows have while their old sub goes to somebody else.
UPDATE staging_sync_moves m
SET meanwhile = gen_random_uuid()::text
FROM staging_sync_moves other
WHERE other.new = m.old AND m.new IS NOT NULL
