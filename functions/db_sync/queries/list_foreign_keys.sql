-- Every foreign key, once (a partition's copy of its root's is left out), between the roots
-- of the tables on either side.
SELECT
    f.conname,
    child_schema.nspname,
    child.relname,
    coalesce(pg_partition_root(f.conrelid)::oid, f.conrelid) AS child_root,
    parent_schema.nspname AS parent_schema,
    parent.relname AS parent_name,
    coalesce(pg_partition_root(f.confrelid)::oid, f.confrelid) AS parent_root,
    (SELECT array_agg(a.attname::text ORDER BY k.position)
     FROM unnest(f.conkey) WITH ORDINALITY k (attnum, position)
     JOIN pg_attribute a ON a.attrelid = f.conrelid AND a.attnum = k.attnum) AS columns,
    (SELECT array_agg(a.attname::text ORDER BY k.position)
     FROM unnest(f.confkey) WITH ORDINALITY k (attnum, position)
     JOIN pg_attribute a ON a.attrelid = f.confrelid AND a.attnum = k.attnum) AS parent_columns,
    (SELECT array_agg(s.nspname::text ORDER BY k.position)
     FROM unnest(f.conpfeqop) WITH ORDINALITY k (operator, position)
     JOIN pg_operator o ON o.oid = k.operator
     JOIN pg_namespace s ON s.oid = o.oprnamespace) AS operator_schemas,
    f.convalidated,
    pg_get_constraintdef(f.oid) AS definition,
    obj_description(f.oid, 'pg_constraint') AS comment
FROM pg_constraint f
JOIN pg_class child ON child.oid = f.conrelid
JOIN pg_namespace child_schema ON child_schema.oid = child.relnamespace
JOIN pg_class parent ON parent.oid = f.confrelid
JOIN pg_namespace parent_schema ON parent_schema.oid = parent.relnamespace
WHERE f.contype = 'f' AND f.conparentid = 0
ORDER BY child_schema.nspname, child.relname, f.conname
