-- Who is who: the best user of the pool for each email, and what happens to each row. Both sides are
-- sorted by email once; the window functions and the join then read them in that order.
INSERT INTO staging_sync_decisions (
    email, status, old_sub, new_sub, is_verified, row_table, row_place, reason
)
WITH pool AS (
    SELECT
        {pool_email} AS email,
        -- The best is 0: enabled counts for more than verified, and that for more than the status.
        CASE enabled WHEN 'true' THEN 0 ELSE 6 END
            + CASE email_verified WHEN 'true' THEN 0 ELSE 3 END
            + CASE status WHEN 'CONFIRMED' THEN 0 WHEN 'EXTERNAL_PROVIDER' THEN 1 ELSE 2 END AS grade,
        CAST(sub AS {sub_type})::text COLLATE "C" AS sub -- as the column will show it
    FROM staging_sync_pool AS p
    OFFSET 0 -- no condition is pushed down, so that each email is lowered and masked once
), best AS (
    SELECT DISTINCT ON (email)
        email,
        sub,
        mod(grade / 3, 2) = 0 AS is_verified,
        count(*) OVER alike AS winners, -- of the first: all with its grade
        -- The winners' share of all with the email. Counting all would take another window.
        cume_dist() OVER alike AS share
    FROM pool
    WHERE email <> ''
    WINDOW alike AS (PARTITION BY email ORDER BY grade)
    ORDER BY email, grade
), people AS (
    SELECT *, count(*) OVER (PARTITION BY email) AS namesakes
    FROM (
        SELECT
            u.tableoid AS row_table, u.ctid AS row_place, {row_email} AS email, {row_sub} AS sub
        FROM {users} AS u
        WHERE {is_person}
        OFFSET 0
    ) AS normalized
), paired AS (
    SELECT
        coalesce(people.email, best.email) AS email,
        people.sub AS old_sub,
        best.sub AS new_sub,
        best.is_verified,
        people.row_table,
        people.row_place,
        people.namesakes AS rows_with_it,
        best.winners,
        best.share,
        people.namesakes = 1 AND best.winners = 1
            AND (best.is_verified OR NOT {require_verified}) AS is_match
    FROM people
    FULL JOIN best ON best.email = people.email
), decided AS (
    SELECT
        *,
        CASE
            WHEN is_match AND old_sub = new_sub THEN 'unchanged'
            WHEN is_match THEN 'updated'
            WHEN rows_with_it IS NULL THEN 'no_db_user'
            WHEN winners IS NULL THEN 'no_cognito_user'
            WHEN rows_with_it > 1 OR winners > 1 THEN 'ambiguous'
            ELSE 'unverified_email'
        END AS status
    FROM paired
)
SELECT
    email,
    status,
    old_sub,
    CASE WHEN is_match THEN new_sub END,
    is_verified,
    row_table,
    row_place,
    CASE
        WHEN is_match AND is_verified AND share = 1 THEN '' -- as nearly all are
        ELSE concat_ws(
            '; ',
            CASE
                WHEN status = 'no_db_user' THEN 'no row has this email'
                WHEN status = 'no_cognito_user' AND email <> '' THEN 'no user of the pool has this email'
                WHEN status = 'no_cognito_user' THEN 'the row has no email'
                WHEN rows_with_it > 1 AND status = 'ambiguous' THEN rows_with_it || ' rows have this email'
                WHEN status = 'ambiguous' THEN winners || ' users of the pool have this email and none is better'
                WHEN share < 1 THEN 'the best of ' || round(winners / share) || ' users of the pool with this email'
            END,
            CASE WHEN status <> 'no_db_user' AND NOT is_verified THEN 'the email is not verified' END
        )
    END
FROM decided
UNION ALL
SELECT NULL, 'no_db_user', NULL, NULL, NULL, NULL, NULL, 'the user of the pool has no email'
FROM staging_sync_pool AS p
WHERE p.email IS NULL OR (strpos(p.email, '@') = 0 AND {pool_address} = '')
