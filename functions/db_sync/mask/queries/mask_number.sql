-- A number moved by a keyed amount: the other way where it would change its sign or be too large.
-- NaN and infinity stay.
(
    SELECT
        CASE
            WHEN old IN ('NaN', 'Infinity', '-Infinity') THEN old
            WHEN pg_catalog.sign(old) * (old + by) < 0 OR (old = 0 AND by < 0)
                OR pg_catalog.abs(old + by) > greatest
                THEN least(greatest(old - by, -greatest), greatest)
            ELSE old + by
        END
    FROM (
        SELECT old, greatest, coalesce({amount}, 0) AS by
        FROM (
            SELECT
                {number} AS old, {within} AS within, {random}::numeric AS random, {greatest} AS greatest
            OFFSET 0
        ) staging_sync_number
    ) staging_sync_moved
)
