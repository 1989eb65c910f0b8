-- The given columns of a table: the type with its modifier and without, the base type of a domain with
-- its category (pg_type.typcategory), whether the column is NOT NULL, and whether it is generated.
SELECT
    a.attname AS name,
    format_type(a.atttypid, a.atttypmod) AS type,
    format_type(a.atttypid, -1) AS type_of_any_length,
    format_type(t.base, -1) AS base_type,
    (SELECT typcategory FROM pg_type WHERE oid = t.base) AS category,
    a.attnotnull OR t.is_required AS is_required,
    a.attgenerated <> '' AS is_generated
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid
CROSS JOIN LATERAL (
    WITH RECURSIVE types AS ( -- a domain may be based on another domain
        SELECT oid, typbasetype, typnotnull FROM pg_type WHERE oid = a.atttypid
        UNION ALL
        SELECT made_of.oid, made_of.typbasetype, made_of.typnotnull
        FROM types
        JOIN pg_type made_of ON made_of.oid = types.typbasetype
    )
    SELECT max(oid) FILTER (WHERE typbasetype = 0) AS base, bool_or(typnotnull) AS is_required
    FROM types
) AS t
WHERE n.nspname = %(schema)s AND c.relname = %(table)s AND c.relkind IN ('r', 'p')
  AND a.attname = ANY (%(columns)s) AND NOT a.attisdropped
