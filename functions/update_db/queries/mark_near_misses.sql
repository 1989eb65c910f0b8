-- Marks rows without a match that look like a user of the pool without a match, and those users;
-- returns how many rows there are.
WITH alone AS MATERIALIZED (
    SELECT d.ctid AS place, d.status, coalesce(l.look, d.email) AS look, l.look IS NOT NULL AS is_unusual
    FROM staging_sync_others d
    LEFT JOIN staging_sync_looks l ON l.email = d.email
    WHERE d.status IN ('no_cognito_user', 'no_db_user') AND d.email <> ''
), pairs AS MATERIALIZED (
    SELECT ours.place AS row_line, theirs.place AS user_line
    FROM alone ours
    JOIN alone theirs ON theirs.look = ours.look AND (ours.is_unusual OR theirs.is_unusual)
    WHERE ours.status = 'no_cognito_user' AND theirs.status = 'no_db_user'
), marked AS (
    UPDATE staging_sync_others d
    SET reason = concat_ws(
        '; ',
        d.reason,
        CASE d.status
            WHEN 'no_db_user' THEN 'near miss: a row has an email that looks like it'
            ELSE 'near miss: the pool has an email that looks like it'
        END
    )
    WHERE d.ctid IN (SELECT row_line FROM pairs UNION ALL SELECT user_line FROM pairs)
)
SELECT count(DISTINCT row_line) FROM pairs
