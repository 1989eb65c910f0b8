-- Collations that lower every script's letters, the best first; none before PostgreSQL 17 on a
-- server without ICU.
SELECT collname
FROM pg_collation
WHERE collnamespace = 'pg_catalog'::regnamespace AND collname IN ('pg_c_utf8', 'und-x-icu')
  AND current_setting('server_encoding') = 'UTF8'
ORDER BY collname
