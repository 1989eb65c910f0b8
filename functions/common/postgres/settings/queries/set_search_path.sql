-- Sets the search path for the transaction, from parts in their order; NULL stands for our role's
-- default path.
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
