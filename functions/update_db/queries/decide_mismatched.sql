-- Rows that get no sub and have one that the pool knows under another email: whoever logs in with it
-- would get somebody else's row. A user of the pool without an email proves nothing.
UPDATE staging_sync_decisions d
SET
    is_released = {release_mismatched},
    status = 'mismatched',
    reason = concat_ws('; ', 'the pool knows the sub under another email', d.reason)
FROM (
    SELECT CAST(sub AS {sub_type})::text COLLATE "C" AS sub, {pool_email} AS email
    FROM staging_sync_pool
    OFFSET 0
) AS pool
WHERE pool.sub = d.old_sub AND pool.email <> '' AND pool.email IS DISTINCT FROM d.email
  AND d.row_place IS NOT NULL AND NOT d.is_released
  AND d.status IN ('no_cognito_user', 'ambiguous', 'unverified_email')
