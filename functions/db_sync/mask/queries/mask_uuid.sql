-- A random UUID as RFC 9562 defines it: two of its digits say so.
(
    SELECT
        pg_catalog.encode(
            pg_catalog.set_byte(
                pg_catalog.set_byte(digest, 6, (pg_catalog.get_byte(digest, 6) & 15) + 64),
                8,
                (pg_catalog.get_byte(digest, 8) & 15) + 128
            ),
            'hex'
        )::uuid
    FROM (SELECT pg_catalog.substr({digest}, 1, 16) AS digest OFFSET 0) staging_sync_digest
)
