-- How many rows have a masked address that the present rule and key do not give.
SELECT count(*)
FROM staging_sync_decisions d
WHERE row_place IS NOT NULL AND status IN ('no_cognito_user', 'unlinked')
  AND {is_masked_otherwise}
