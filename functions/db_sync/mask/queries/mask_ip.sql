-- An address that nobody has: of 240.0.0.0/4 (RFC 1112) or 2001:db8::/32 (RFC 3849). No literal has
-- a backslash, which some roles' setting standard_conforming_strings takes for an escape.
(
    SELECT
        CASE
            WHEN pg_catalog.strpos({text}, ':') = 0 THEN pg_catalog.concat_ws(
                '.',
                240 + pg_catalog.mod(pg_catalog.get_byte(digest, 0), 15),
                pg_catalog.get_byte(digest, 1),
                pg_catalog.get_byte(digest, 2),
                pg_catalog.get_byte(digest, 3)
            )
            ELSE '2001:db8' || pg_catalog.regexp_replace(
                pg_catalog.encode(pg_catalog.substr(digest, 1, 12), 'hex'), '(?=(....)+$)', ':', 'g'
            )
        END
    FROM (SELECT {digest} AS digest OFFSET 0) staging_sync_digest
)
