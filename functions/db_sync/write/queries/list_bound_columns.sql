-- Columns whose values an UPDATE cannot exchange between rows: those of unique and exclusion
-- constraints, which are checked row by row (those in a partial index's condition too), and
-- identity columns that are GENERATED ALWAYS; with the root of their table. NULL is any column, as
-- where an expression is indexed.
WITH members AS (
    SELECT root.oid AS root, root.oid AS relid FROM unnest(%(tables)s::oid[]) root (oid)
    UNION
    SELECT root.oid, part.relid FROM unnest(%(tables)s::oid[]) root (oid)
    CROSS JOIN pg_partition_tree(root.oid) part
)
SELECT members.root, a.attname AS name
FROM members
JOIN pg_index i ON i.indrelid = members.relid AND (i.indisunique OR i.indisexclusion)
CROSS JOIN unnest(
    i.indkey::int2[] || ARRAY(
        SELECT d.refobjsubid::int2 FROM pg_depend d
        WHERE d.classid = 'pg_class'::regclass AND d.objid = i.indexrelid
          AND d.refclassid = 'pg_class'::regclass AND d.refobjid = i.indrelid AND d.refobjsubid > 0
    )
) k (attnum)
LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum AND k.attnum <> 0
UNION
SELECT members.root, a.attname
FROM members
JOIN pg_attribute a ON a.attrelid = members.relid AND a.attidentity = 'a'
