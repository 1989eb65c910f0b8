-- How many decisions have each status, how many people have an unverified email, and how many rows
-- lose a sub that belongs to another row or user.
SELECT
    count(*) FILTER (WHERE status = 'updated') AS updated,
    count(*) FILTER (WHERE status = 'unchanged') AS unchanged,
    count(*) FILTER (WHERE status = 'no_cognito_user') AS skipped_no_cognito_user,
    count(*) FILTER (WHERE status = 'no_db_user') AS skipped_no_db_user,
    count(*) FILTER (WHERE status = 'ambiguous') AS skipped_ambiguous,
    count(*) FILTER (WHERE status = 'unlinked') AS unlinked,
    count(*) FILTER (WHERE status = 'mismatched') AS mismatched,
    count(*) FILTER (
        WHERE status IN ('updated', 'unchanged', 'unverified_email') AND NOT is_verified
    ) AS unverified_email,
    count(*) FILTER (WHERE is_released) AS released
FROM {decisions}
