-- The collation that lowers the letters of every script, the best first; the database's own if there
-- is none (before PostgreSQL 17 on a server without ICU), and "C" if the encoding is not UTF-8.
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
