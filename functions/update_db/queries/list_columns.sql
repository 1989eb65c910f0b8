-- The columns of all tables, and what each holds as far as it can hold subs: one ("sub"), an array of
-- them, or "json" (jsonb); "" if it cannot. Partitions are left out, except the given table.
WITH RECURSIVE bases AS ( -- a domain may be based on another domain
    SELECT oid, oid AS base, typbasetype FROM pg_type
    UNION ALL
    SELECT bases.oid, t.oid, t.typbasetype
    FROM bases
    JOIN pg_type t ON t.oid = bases.typbasetype
), resolved AS MATERIALIZED (
    SELECT oid, base FROM bases WHERE typbasetype = 0
)
SELECT
    c.oid AS table_oid,
    n.nspname AS schema,
    c.relname AS table_name,
    c.relkind = 'p' AS is_partitioned,
    a.attname AS name,
    format_type(a.atttypid, a.atttypmod) AS type,
    CASE
        WHEN t.oid = 'jsonb'::regtype THEN 'json'
        WHEN t.typcategory = 'S' OR t.oid = 'uuid'::regtype THEN 'sub'
        WHEN e.typcategory = 'S' OR e.oid = 'uuid'::regtype THEN 'array'
        ELSE ''
    END AS holds,
    coalesce(e.oid, t.oid) = 'uuid'::regtype AS is_uuid,
    a.attgenerated <> '' AS is_generated,
    -- Whether values are equal only if they are the same text; those of citext need not be.
    coalesce(l.collisdeterministic, true) AND t.typnamespace = 'pg_catalog'::regnamespace AS is_exact
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN resolved ON resolved.oid = a.atttypid
JOIN pg_type t ON t.oid = resolved.base
LEFT JOIN resolved element ON t.typcategory = 'A' AND element.oid = t.typelem
LEFT JOIN pg_type e ON e.oid = element.base
LEFT JOIN pg_collation l ON l.oid = a.attcollation
WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't'
  AND n.nspname NOT LIKE 'pg\_%%' AND n.nspname <> 'information_schema'
  AND (NOT c.relispartition OR n.nspname = %(schema)s AND c.relname = %(table)s)
