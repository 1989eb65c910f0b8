-- The given settings: value, and where it comes from; beside them our login and database, quoted.
SELECT
    name,
    setting AS value,
    source,
    quote_ident(session_user) AS role,
    quote_ident(current_database()) AS database
FROM pg_settings
WHERE name = ANY (%s)
