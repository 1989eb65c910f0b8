-- Who is who: the best user of the pool for each email, and what becomes of each row.
INSERT INTO staging_sync_decisions
WITH listed AS (
    -- A pool that changes while it is paged may list somebody twice: the newer state counts.
    SELECT DISTINCT ON (sub) *
    FROM staging_sync_pool
    ORDER BY sub, last_modified DESC NULLS LAST
), pool AS (
    SELECT
        {pool_email} AS email,
        CAST(sub AS {sub_type})::text AS sub, -- as the column will show it
        enabled IS NOT DISTINCT FROM 'true' AS is_enabled,
        email_verified IS NOT DISTINCT FROM 'true' AS is_verified,
        CASE status WHEN 'CONFIRMED' THEN 1 WHEN 'EXTERNAL_PROVIDER' THEN 2 ELSE 3 END AS grade
    FROM listed
), ranked AS (
    SELECT
        *,
        rank() OVER (
            PARTITION BY email ORDER BY is_enabled DESC, is_verified DESC, grade
        ) AS place,
        count(*) OVER (PARTITION BY email) AS namesakes
    FROM pool
    WHERE email <> ''
), best AS (
    SELECT
        email, min(sub) AS sub, bool_and(is_verified) AS is_verified,
        count(*) AS winners, min(namesakes) AS namesakes
    FROM ranked
    WHERE place = 1
    GROUP BY email
), people AS (
    SELECT email, sub, count(*) OVER (PARTITION BY email) AS namesakes
    FROM (SELECT {row_email} AS email, u.{sub}::text AS sub FROM {users} AS u) AS normalized
), matched AS (
    SELECT
        coalesce(people.email, best.email) AS email,
        CASE
            WHEN people.namesakes IS NULL THEN 'no_db_user'
            WHEN best.email IS NULL THEN 'no_cognito_user'
            WHEN people.namesakes > 1 OR best.winners > 1 THEN 'ambiguous'
            WHEN NOT best.is_verified AND {require_verified} THEN 'unverified_email'
            WHEN people.sub = best.sub THEN 'unchanged'
            ELSE 'updated'
        END AS status,
        people.sub AS old_sub,
        best.sub AS new_sub,
        best.is_verified,
        people.namesakes AS rows_with_it,
        best.winners,
        best.namesakes AS users_with_it
    FROM people
    FULL JOIN best ON best.email = people.email
)
SELECT
    email,
    status,
    old_sub,
    CASE WHEN status IN ('updated', 'unchanged') THEN new_sub END,
    is_verified,
    concat_ws(
        '; ',
        CASE
            WHEN status = 'no_db_user' THEN 'no row has this email'
            WHEN status = 'no_cognito_user' AND email <> '' THEN 'no user of the pool has this email'
            WHEN status = 'no_cognito_user' THEN 'the row has no email'
            WHEN rows_with_it > 1 AND status = 'ambiguous' THEN rows_with_it || ' rows have this email'
            WHEN status = 'ambiguous' THEN winners || ' users of the pool have this email and none is better'
            WHEN users_with_it > 1 THEN 'the best of ' || users_with_it || ' users of the pool with this email'
        END,
        CASE WHEN status <> 'no_db_user' AND NOT is_verified THEN 'the email is not verified' END
    )
FROM matched
UNION ALL
SELECT NULL, 'no_db_user', NULL, NULL, NULL, 'the user of the pool has no email'
FROM pool
WHERE (email <> '') IS NOT TRUE
