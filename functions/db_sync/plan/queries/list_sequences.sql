-- Every sequence: the columns that use it, the table that owns it, what our role may do with it.
-- `users` are the columns that own it or whose default (or whose domain's) names it, as JSON: with
-- the oid of the table's root, and the names of schema, table (or partition) and column.
WITH uses AS (
    SELECT d.objid AS sequence, d.refobjid AS relid, d.refobjsubid AS attnum
    FROM pg_depend d
    WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass
      AND d.deptype IN ('a', 'i')
    UNION
    SELECT d.refobjid, def.adrelid, def.adnum
    FROM pg_depend d
    JOIN pg_attrdef def ON def.oid = d.objid
    WHERE d.classid = 'pg_attrdef'::regclass AND d.refclassid = 'pg_class'::regclass
    UNION
    SELECT d.refobjid, a.attrelid, a.attnum
    FROM pg_depend d
    JOIN pg_attribute a ON a.atttypid = d.objid AND NOT a.atthasdef
    WHERE d.classid = 'pg_type'::regclass AND d.refclassid = 'pg_class'::regclass
), users AS (
    SELECT uses.sequence, json_agg(
        json_build_object(
            'root', coalesce(pg_partition_root(c.oid)::oid, c.oid)::bigint,
            'schema', n.nspname,
            'table', c.relname,
            'column', a.attname
        )
        ORDER BY n.nspname, c.relname, a.attname
    ) AS columns
    FROM uses
    JOIN pg_sequence s ON s.seqrelid = uses.sequence
    JOIN pg_attribute a ON a.attrelid = uses.relid AND a.attnum = uses.attnum
        AND a.attnum > 0 AND NOT a.attisdropped
    JOIN pg_class c ON c.oid = uses.relid AND c.relkind IN ('r', 'p')
    JOIN pg_namespace n ON n.oid = c.relnamespace
    GROUP BY uses.sequence
)
SELECT
    n.nspname AS schema,
    c.relname AS name,
    coalesce(users.columns, '[]') AS users,
    (
        SELECT json_build_object('schema', owner_schema.nspname, 'name', owning.relname)
        FROM pg_depend d
        JOIN pg_class owning ON owning.oid = d.refobjid
        JOIN pg_namespace owner_schema ON owner_schema.oid = owning.relnamespace
        WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
          AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
    ) AS owning_table,
    has_sequence_privilege(c.oid, 'SELECT') AND has_schema_privilege(n.oid, 'USAGE') AS is_readable,
    pg_has_role(c.relowner, 'USAGE') AS may_alter
FROM pg_sequence s
JOIN pg_class c ON c.oid = s.seqrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN users ON users.sequence = s.seqrelid
WHERE c.relpersistence <> 't'
  AND NOT EXISTS (
      SELECT FROM pg_depend d
      WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
  )
ORDER BY n.nspname, c.relname
