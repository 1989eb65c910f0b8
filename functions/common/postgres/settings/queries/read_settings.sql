-- The given settings, with the source of each value; and our role and database, quoted.
SELECT
    name,
    setting AS value,
    source,
    quote_ident(session_user) AS role,
    quote_ident(current_database()) AS database
FROM pg_settings
WHERE name = ANY (%s)
