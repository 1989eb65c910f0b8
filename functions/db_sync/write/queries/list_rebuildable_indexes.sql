-- Indexes of one ordinary table that can be dropped and created again exactly as they are: their
-- definition, and the unique constraint that they belong to (NULL: none). Left out are those with
-- something that a definition does not hold (a comment, a tablespace, statistics, CLUSTER, replica
-- identity), that others depend on (foreign keys, views), that call the application's functions,
-- that ALTER TABLE … USING INDEX does not accept, or that our role may not create.
SELECT
    i.indexrelid::regclass::text AS name,
    pg_get_indexdef(i.indexrelid) AS definition,
    c.conname AS constraint_name,
    c.contype AS constraint_type
FROM pg_index i
JOIN pg_class x ON x.oid = i.indexrelid
JOIN pg_class t ON t.oid = i.indrelid
LEFT JOIN pg_constraint c ON c.conindid = i.indexrelid AND c.conrelid = i.indrelid
    AND c.contype IN ('p', 'u', 'x')
WHERE i.indrelid = %(table)s
  AND t.relkind = 'r'
  AND NOT EXISTS (SELECT FROM pg_inherits h WHERE t.oid IN (h.inhrelid, h.inhparent))
  AND pg_has_role(t.relowner, 'USAGE')
  AND has_schema_privilege(t.relnamespace, 'CREATE')
  AND NOT EXISTS (
      SELECT opcnamespace FROM pg_opclass WHERE oid = ANY (i.indclass)
          AND NOT has_schema_privilege(opcnamespace, 'USAGE')
      UNION ALL
      SELECT collnamespace FROM pg_collation WHERE oid = ANY (i.indcollation)
          AND NOT has_schema_privilege(collnamespace, 'USAGE')
  )
  AND i.indisvalid AND i.indisready AND NOT i.indisexclusion
  AND NOT i.indisclustered AND NOT i.indisreplident
  AND x.reltablespace = 0
  AND NOT EXISTS (
      SELECT FROM pg_attribute a
      WHERE a.attrelid = i.indexrelid AND coalesce(a.attstattarget, -1) <> -1
  )
  AND NOT EXISTS (
      SELECT FROM pg_description d
      WHERE (d.classoid, d.objoid) IN (
          ('pg_class'::regclass, i.indexrelid), ('pg_constraint'::regclass, c.oid)
      )
  )
  AND NOT EXISTS (
      SELECT FROM pg_depend d
      WHERE (d.refclassid, d.refobjid) IN (
          ('pg_class'::regclass, i.indexrelid), ('pg_constraint'::regclass, c.oid)
      )
        AND (d.classid, d.objid) <> ('pg_class'::regclass, i.indexrelid)
  )
  AND NOT EXISTS (
      SELECT FROM pg_depend d
      WHERE d.classid = 'pg_class'::regclass AND d.objid = i.indexrelid
        AND (d.refclassid = 'pg_proc'::regclass OR d.deptype IN ('e', 'x'))
  )
  AND (
      c.oid IS NULL
      OR NOT c.condeferrable
      -- Only PostgreSQL 15 and later have this column.
      AND NOT coalesce((to_jsonb(i) ->> 'indnullsnotdistinct')::boolean, false)
  )
ORDER BY name
