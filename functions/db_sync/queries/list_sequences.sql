-- Every sequence, the root of the table (0: none) and the column that own it, the table itself
-- (a partition may have a sequence of its own), and whether we may read it.
SELECT
    n.nspname,
    c.relname,
    coalesce(pg_partition_root(owner.refobjid)::oid, owner.refobjid, 0) AS owner,
    (SELECT a.attname FROM pg_attribute a
     WHERE a.attrelid = owner.refobjid AND a.attnum = owner.refobjsubid) AS owner_column,
    owner_schema.nspname AS owner_schema,
    owner_table.relname AS owner_name,
    has_sequence_privilege(c.oid, 'SELECT') AS is_readable
FROM pg_sequence s
JOIN pg_class c ON c.oid = s.seqrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_depend owner ON owner.classid = 'pg_class'::regclass AND owner.objid = c.oid
    AND owner.refclassid = 'pg_class'::regclass AND owner.deptype IN ('a', 'i')
LEFT JOIN pg_class owner_table ON owner_table.oid = owner.refobjid
LEFT JOIN pg_namespace owner_schema ON owner_schema.oid = owner_table.relnamespace
WHERE c.relpersistence <> 't'
  AND NOT EXISTS (
      SELECT FROM pg_depend d
      WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
  )
ORDER BY n.nspname, c.relname
