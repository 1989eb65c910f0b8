-- The hash of one row that uses every function of a row's hash, and texts that depend on everything
-- that could differ between two servers. ASCII only, since the encoding may lack other characters.
SELECT
    hashint2extended(1::int2, 1) # hashint4extended(2, 2) # hashint8extended(3, 3)
    # uuid_hash_extended('0123456789abcdef0123456789abcdef', 4)
    # hashtextextended('Greetings, world' COLLATE "C", 5)
    # hashbpcharextended('Hello '::char(8) COLLATE "C", 6)
    # hash_record_extended(
        ROW(
            true, decode('00ff', 'hex'), '2020-02-02'::date,
            timestamptz_send('2020-02-02 02:02:02.020202+02')
        ),
        7
    )
    # hashtextextended(
        ROW(1.50, 0.1::float8, '1 mon 2 days'::interval, '{1,NULL}'::int[])::text COLLATE "C", 8
    )
