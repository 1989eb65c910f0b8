-- Every name that a message may repeat, with its kind as in libpq's error fields. PostgreSQL reports a
-- unique index as a constraint even if it is none.
SELECT 'table' AS kind, n.nspname::text AS schema, c.relname::text AS name
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm', 'S')
UNION
SELECT 'type', n.nspname::text, t.typname::text
FROM pg_type t
JOIN pg_namespace n ON n.oid = t.typnamespace
UNION
SELECT 'column', '', attname::text
FROM pg_attribute
WHERE attnum > 0 AND NOT attisdropped
UNION
SELECT 'constraint', '', conname::text
FROM pg_constraint
UNION
SELECT 'constraint', '', relname::text
FROM pg_class
WHERE relkind IN ('i', 'I')
