-- The collations that order the texts of the given tables' columns, described so that two of them
-- that are described alike, on whatever server, order all texts alike: provider, locale and version
-- (https://www.postgresql.org/docs/current/collation.html). The database's own for the default one.
-- What only some versions of PostgreSQL have is read from the row as JSON.
SELECT
    a.attrelid AS oid,
    a.attname AS column_name,
    concat_ws(
        ' ',
        CASE WHEN c.collprovider = 'd' THEN d.described ->> 'datlocprovider'
            ELSE c.collprovider::text END,
        CASE WHEN c.collprovider = 'd' THEN d.datcollate ELSE c.collcollate END,
        CASE WHEN c.collprovider = 'd'
            THEN coalesce(d.described ->> 'datlocale', d.described ->> 'daticulocale')
            ELSE coalesce(to_jsonb(c) ->> 'colllocale', to_jsonb(c) ->> 'colliculocale') END,
        CASE WHEN c.collprovider = 'd'
            THEN coalesce(d.described ->> 'daticurules', '')
            ELSE coalesce(to_jsonb(c) ->> 'collicurules', '') END,
        CASE WHEN c.collprovider = 'd' THEN d.described ->> 'datcollversion'
            ELSE c.collversion END,
        pg_collation_actual_version(c.oid),
        c.collisdeterministic
    ) AS description
FROM pg_attribute a
JOIN pg_collation c ON c.oid = a.attcollation
CROSS JOIN (
    SELECT datcollate, to_jsonb(pg_database) AS described
    FROM pg_database WHERE datname = current_database()
) d
WHERE a.attrelid = ANY (%s::oid[]) AND a.attnum > 0 AND NOT a.attisdropped
