-- The collation that lowers every script's letters, the best first; the database's own where none
-- does (before PostgreSQL 17 on a server without ICU), and ASCII alone where it is not UTF-8.
SELECT coalesce(
    (
        SELECT collname
        FROM pg_collation
        WHERE collnamespace = 'pg_catalog'::regnamespace
          AND collname IN ('pg_c_utf8', 'und-x-icu')
        ORDER BY collname
        LIMIT 1
    ),
    'default'
)
WHERE current_setting('server_encoding') = 'UTF8'
UNION ALL
SELECT 'C' WHERE current_setting('server_encoding') <> 'UTF8'
