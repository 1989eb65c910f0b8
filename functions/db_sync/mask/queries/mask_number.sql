-- A number moved by a keyed amount within bounds, but not by nothing if there is room: the other way
-- where it would lose its sign or be too large. NaN and infinity stay.
(
    SELECT
        CASE
            WHEN room = 0 OR old IN ('NaN', 'Infinity', '-Infinity') THEN old
            WHEN (pg_catalog.sign(old) * (old + by) > 0 OR old = 0 AND by > 0)
                AND pg_catalog.abs(old + by) <= most THEN old + by
            WHEN (pg_catalog.sign(old) * (old - by) > 0 OR old = 0)
                AND pg_catalog.abs(old - by) <= most THEN old - by
            ELSE pg_catalog.sign(old) * least(pg_catalog.abs(old) + pg_catalog.abs(by), most)
        END
    FROM (
        SELECT
            old, most, room,
            {unit} * (
                pg_catalog.floor(2 * room * share) - room
                + CASE WHEN pg_catalog.floor(2 * room * share) >= room THEN 1 ELSE 0 END
            ) AS by
        FROM (
            SELECT
                old, most, share,
                pg_catalog.floor({units} * least(
                    {within}, greatest(pg_catalog.abs(old), most - pg_catalog.abs(old))
                )) AS room
            FROM (
                SELECT {number} AS old, {share} AS share, {most} AS most OFFSET 0
            ) staging_sync_number
            OFFSET 0
        ) staging_sync_room
        OFFSET 0
    ) staging_sync_moved
)
