-- A number moved by a keyed amount: the other way where it would lose its sign or be too large, but not
-- by more than there is room for. NaN and infinity stay.
(
    SELECT
        CASE
            WHEN old IN ('NaN', 'Infinity', '-Infinity') OR by = 0 THEN old
            WHEN (pg_catalog.sign(old) * (old + by) > 0 OR old = 0 AND by > 0)
                AND pg_catalog.abs(old + by) <= most THEN old + by
            WHEN (pg_catalog.sign(old) * (old - by) > 0 OR old = 0)
                AND pg_catalog.abs(old - by) <= most THEN old - by
            ELSE pg_catalog.sign(old) * least(pg_catalog.abs(old) + pg_catalog.abs(by), most)
        END
    FROM (
        SELECT old, most, coalesce({amount}, 0) AS by
        FROM (
            SELECT
                old, most, share,
                least({within}, greatest(pg_catalog.abs(old), most - pg_catalog.abs(old))) AS within
            FROM (
                SELECT {number} AS old, {share} AS share, {most} AS most OFFSET 0
            ) staging_sync_number
            OFFSET 0
        ) staging_sync_bounded
        OFFSET 0
    ) staging_sync_moved
)
