-- The hash of one row whose text depends on everything that could differ between two servers.
SELECT hash_record_extended(
    ROW(
        1::bigint, true, 'Grüße, 世界 🦉'::text COLLATE "C", '\x00ff'::bytea,
        '2020-02-02 02:02:02.020202+02'::timestamptz, '0123456789abcdef0123456789abcdef'::uuid,
        ROW(1.50, 0.1::float8, '1 mon 2 days'::interval, '{1,NULL}'::int[])::text COLLATE "C"
    ),
    0
)
