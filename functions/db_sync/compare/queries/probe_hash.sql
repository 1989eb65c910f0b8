-- The hash of one row that uses every function of a row's hash, and texts that depend on everything
-- that could differ between two servers. ASCII only, since the encoding may lack other characters.
SELECT
    hashint2extended(1::int2, 1) # hashint4extended(2, 2) # hashint8extended(3, 3)
    # uuid_hash_extended('0123456789abcdef0123456789abcdef', 4)
    # hashtextextended('Greetings, world' COLLATE "C", 5)
    # hashbpcharextended('Hello '::char(8) COLLATE "C", 6)
    # hashint4extended(
        3 * scale(-1.50) + numeric_cmp(-1.50, 0::numeric), hash_numeric_extended(-1.50, 9)
    )
    # hashfloat8extended(0.1, 10) # hashfloat4extended(0.1, 11) # hashoidextended(2::oid, 12)
    # hashint4extended(date_mi('2020-02-02', '2000-01-01'), 13) # hashnameextended('hello', 14)
    # hashinetextended('10.0.0.0/8', 15) # hashmacaddrextended('08:00:2b:01:02:03', 16)
    # hashmacaddr8extended('08:00:2b:01:02:03:04:05', 17)
    # hash_record_extended(
        ROW(
            true, decode('00ff', 'hex'), '2020-02-02'::date,
            timestamptz_send('2020-02-02 02:02:02.020202+02'), interval_send('1 mon 2 days 03:00')
        ),
        7
    )
    # hashtextextended(
        ROW(1.50, 0.1::float8, '1 mon 2 days'::interval, '{1,NULL}'::int[])::text COLLATE "C", 8
    )
