-- Those of the given tables that our role may not read, or not lock against writers and update.
SELECT n.nspname AS schema, c.relname AS name
FROM unnest(%s::regclass[]) AS asked (oid)
JOIN pg_class c ON c.oid = asked.oid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE NOT (has_table_privilege(c.oid, 'SELECT') AND has_table_privilege(c.oid, 'UPDATE'))
ORDER BY 1, 2
