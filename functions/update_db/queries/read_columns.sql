-- The given columns of a table: the type with its modifier and without, the base type of a domain with
-- its category (pg_type.typcategory), how many characters a value may have at most (NULL: any number),
-- whether the column is NOT NULL, and whether it is generated.
SELECT
    a.attname AS name,
    format_type(a.atttypid, a.atttypmod) AS type,
    format_type(a.atttypid, -1) AS type_of_any_length,
    format_type(t.base, -1) AS base_type,
    (SELECT typcategory FROM pg_type WHERE oid = t.base) AS category,
    -- https://www.postgresql.org/docs/current/catalog-pg-attribute.html: the length and 4 bytes more
    CASE WHEN t.base IN ('varchar'::regtype, 'bpchar'::regtype) THEN nullif(t.modifier, -1) - 4 END
        AS most_characters,
    a.attnotnull OR t.is_required AS is_required,
    a.attgenerated <> '' AS is_generated
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid
CROSS JOIN LATERAL (
    WITH RECURSIVE types AS ( -- a domain may be based on another domain
        SELECT oid, typbasetype, typnotnull, a.atttypmod AS modifier, typtypmod AS modifier_of_base
        FROM pg_type
        WHERE oid = a.atttypid
        UNION ALL
        SELECT
            made_of.oid, made_of.typbasetype, made_of.typnotnull, types.modifier_of_base,
            made_of.typtypmod
        FROM types
        JOIN pg_type made_of ON made_of.oid = types.typbasetype
    )
    SELECT
        max(oid) FILTER (WHERE typbasetype = 0) AS base,
        max(modifier) FILTER (WHERE typbasetype = 0) AS modifier,
        bool_or(typnotnull) AS is_required
    FROM types
) AS t
WHERE n.nspname = %(schema)s AND c.relname = %(table)s AND c.relkind IN ('r', 'p')
  AND a.attname = ANY (%(columns)s) AND NOT a.attisdropped
