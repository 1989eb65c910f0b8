-- Type without its modifier, and whether it is NOT NULL, of the given columns of a table.
SELECT a.attname, format_type(a.atttypid, NULL), a.attnotnull
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid
WHERE n.nspname = %(schema)s AND c.relname = %(table)s AND c.relkind IN ('r', 'p')
  AND a.attname = ANY (%(columns)s) AND NOT a.attisdropped
