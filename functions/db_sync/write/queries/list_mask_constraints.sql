-- What the given tables require of their columns: CHECK (c) and exclusion constraints (x), also those
-- of partitions alone; the bounds of all partitions (p); and unique indexes in which NULL may occur
-- once (n).
WITH members AS (
    SELECT root.oid AS root, root.oid AS relid FROM unnest(%(tables)s::oid[]) root (oid)
    UNION
    SELECT root.oid, part.relid FROM unnest(%(tables)s::oid[]) root (oid)
    CROSS JOIN pg_partition_tree(root.oid) part
), partition_keys AS (
    -- A partitioned table's columns that its key or an expression in it uses depend on the table.
    SELECT members.root, array_agg(DISTINCT a.attname::text) AS columns
    FROM members
    JOIN pg_partitioned_table p ON p.partrelid = members.relid
    JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = members.relid
        AND d.refclassid = 'pg_class'::regclass AND d.refobjid = members.relid
        AND d.objsubid > 0 AND d.refobjsubid = 0 AND d.deptype = 'i'
    JOIN pg_attribute a ON a.attrelid = members.relid AND a.attnum = d.objsubid
    GROUP BY members.root
), bounds AS (
    SELECT
        members.root,
        members.relid,
        c.relkind = 'p' AS is_partitioned,
        -- With those of the partitions that it is in; a default partition alone has none.
        coalesce(pg_get_partition_constraintdef(members.relid), 'true') AS bound
    FROM members
    JOIN pg_class c ON c.oid = members.relid
    WHERE members.relid <> members.root
)
SELECT
    members.root,
    c.contype::text AS kind,
    c.conname::text AS name,
    CASE WHEN bounds.relid IS NULL
        THEN pg_get_constraintdef(c.oid)
        ELSE format('CHECK (NOT (%%s) OR (%%s))', bounds.bound, pg_get_expr(c.conbin, c.conrelid))
    END AS definition,
    ARRAY(
        SELECT a.attname::text FROM pg_attribute a
        WHERE a.attrelid = c.conrelid AND a.attnum = ANY (c.conkey)
        UNION
        SELECT unnest(partition_keys.columns) WHERE bounds.relid IS NOT NULL
    ) AS columns
FROM members
JOIN pg_constraint c ON c.conrelid = members.relid
LEFT JOIN bounds ON bounds.root = members.root AND bounds.relid = members.relid
LEFT JOIN partition_keys ON partition_keys.root = members.root
WHERE (bounds.relid IS NULL AND c.contype IN ('c', 'x') OR c.contype = 'c' AND c.coninhcount = 0)
  AND c.convalidated
  -- Only PostgreSQL 18 and later have this column.
  AND coalesce((to_jsonb(c) ->> 'conenforced')::boolean, true)
UNION ALL
SELECT
    bounds.root,
    'p',
    'its partitions',
    format('CHECK (%%s)', string_agg(format('(%%s)', bounds.bound), ' OR ' ORDER BY bounds.relid)),
    partition_keys.columns
FROM bounds
JOIN partition_keys ON partition_keys.root = bounds.root
WHERE NOT bounds.is_partitioned
GROUP BY bounds.root, partition_keys.columns
UNION ALL
SELECT
    i.indrelid,
    'n',
    i.indexrelid::regclass::text,
    '',
    ARRAY(
        SELECT a.attname::text FROM pg_attribute a
        WHERE a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey::int2[])
    )
FROM pg_index i
WHERE i.indrelid = ANY (%(tables)s::oid[]) AND i.indisunique
  -- Only PostgreSQL 15 and later have this column.
  AND coalesce((to_jsonb(i) ->> 'indnullsnotdistinct')::boolean, false)
