-- Rows that get no sub and have one that the pool knows under another email: whoever logs in with it
-- would get somebody else's row. A user of the pool without an email proves nothing, nor does a row
-- with an address that another key masked: it may be the same person's.
UPDATE staging_sync_others d
SET
    is_released = {release_mismatched},
    status = 'mismatched',
    reason = concat_ws('; ', 'the pool knows the sub under another email', d.reason)
FROM (
    SELECT holder.ctid AS place, {pool_email} AS email
    FROM (
        SELECT CAST(sub AS {sub_type})::text COLLATE "C" AS sub, email
        FROM staging_sync_pool
        OFFSET 0
    ) AS p
    JOIN staging_sync_others holder ON holder.old_sub = p.sub
    WHERE holder.row_place IS NOT NULL AND NOT holder.is_released
      AND holder.status IN ('no_cognito_user', 'ambiguous', 'unverified_email')
    OFFSET 0 -- so that the emails of these alone are masked
) AS known
WHERE d.ctid = known.place AND known.email <> '' AND known.email IS DISTINCT FROM d.email
  AND ({is_masked_otherwise}) IS NOT TRUE
