-- Sets the search path for the transaction, of parts in their order; where our role's own goes a
-- part is NULL.
SELECT pg_catalog.set_config('search_path', (
    SELECT pg_catalog.string_agg(path, ', ' ORDER BY position)
    FROM pg_catalog.unnest(%s::text[]) WITH ORDINALITY parts (part, position)
    CROSS JOIN LATERAL (
        SELECT coalesce(part, (
            SELECT reset_val FROM pg_catalog.pg_settings WHERE name = 'search_path'
        )) AS path
    ) found
    WHERE path <> ''
), true)
