-- Of the given columns of a table: the type with its modifier and without, what a domain is made
-- of, and whether it is NOT NULL.
SELECT
    a.attname,
    format_type(a.atttypid, a.atttypmod),
    format_type(a.atttypid, -1),
    format_type(coalesce(nullif(t.typbasetype, 0), t.oid), -1),
    a.attnotnull OR t.typnotnull
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid
JOIN pg_type t ON t.oid = a.atttypid
WHERE n.nspname = %(schema)s AND c.relname = %(table)s AND c.relkind IN ('r', 'p')
  AND a.attname = ANY (%(columns)s) AND NOT a.attisdropped
