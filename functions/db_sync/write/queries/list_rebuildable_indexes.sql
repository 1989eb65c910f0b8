-- Indexes of one ordinary table that can be dropped and created again so that nobody can tell:
-- their definition, and the unique constraint that they belong to (NULL: none). Left out is
-- whatever a definition does not hold (a comment, a tablespace, statistics, CLUSTER, replica
-- identity), what others depend on (foreign keys, views), what calls the application's functions,
-- what ALTER TABLE … USING INDEX cannot take, and what our role may not create.
SELECT i.indexrelid::regclass::text AS name, pg_get_indexdef(i.indexrelid) AS definition, c.conname, c.contype
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
      -- A column that only 15 and later have.
      AND NOT coalesce((to_jsonb(i) ->> 'indnullsnotdistinct')::boolean, false)
  )
ORDER BY name
