-- The given settings: value, and where it comes from; beside them our login and database, quoted.
SELECT name, setting, source, quote_ident(session_user), quote_ident(current_database())
FROM pg_settings
WHERE name = ANY (%s)
