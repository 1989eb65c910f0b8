-- Let functions find what they find in the application's own sessions, but what PostgreSQL has first:
-- our statements are made of that.
SELECT pg_catalog.set_config(
    'search_path', pg_catalog.concat_ws(', ', 'pg_catalog', nullif(reset_val, ''), 'pg_temp'), true
)
FROM pg_catalog.pg_settings
WHERE name = 'search_path'
