-- How many lines of each status, how many people were matched by an unverified email, and how many
-- rows hold another's sub.
SELECT
    count(*) FILTER (WHERE status = 'updated'),
    count(*) FILTER (WHERE status = 'unchanged'),
    count(*) FILTER (WHERE status = 'no_cognito_user'),
    count(*) FILTER (WHERE status = 'no_db_user'),
    count(*) FILTER (WHERE status = 'ambiguous'),
    count(*) FILTER (WHERE status = 'unlinked'),
    count(*) FILTER (WHERE status = 'mismatched'),
    count(*) FILTER (
        WHERE status IN ('updated', 'unchanged', 'unverified_email') AND NOT is_verified
    ),
    count(*) FILTER (WHERE is_released)
FROM staging_sync_decisions
