-- A date or timestamp moved by a keyed amount, but not by nothing; those near the first and the last
-- that there are, towards the present. Infinity stays.
(
    SELECT
        CASE
            WHEN old > {last} THEN old - pg_catalog.abs(by) * {unit}
            WHEN old < {first} THEN old + pg_catalog.abs(by) * {unit}
            ELSE old + by * {unit}
        END
    FROM (
        SELECT old, (random - {within} + CASE WHEN random >= {within} THEN 1 ELSE 0 END)::{counted} AS by
        FROM (
            SELECT {value} AS old, pg_catalog.mod({random}, 2 * {within}) AS random OFFSET 0
        ) staging_sync_date
    ) staging_sync_moved
)
