-- What the given tables require of their columns: CHECK (c) and exclusion constraints (x), the bounds
-- of all partitions where there is none for other rows (p), and unique indexes in which NULL may
-- occur once (n).
SELECT
    c.conrelid AS root,
    c.contype::text AS kind,
    c.conname::text AS name,
    pg_get_constraintdef(c.oid) AS definition,
    ARRAY(
        SELECT a.attname::text FROM pg_attribute a
        WHERE a.attrelid = c.conrelid AND a.attnum = ANY (c.conkey)
    ) AS columns
FROM pg_constraint c
WHERE c.conrelid = ANY (%(tables)s::oid[]) AND c.contype IN ('c', 'x') AND c.convalidated
  -- Only PostgreSQL 18 and later have this column.
  AND coalesce((to_jsonb(c) ->> 'conenforced')::boolean, true)
UNION ALL
SELECT
    p.partrelid,
    'p',
    'its partitions',
    'CHECK (' || string_agg('(' || pg_get_partition_constraintdef(i.inhrelid) || ')', ' OR ') || ')',
    ARRAY(
        SELECT a.attname::text FROM pg_attribute a
        WHERE a.attrelid = p.partrelid AND a.attnum = ANY (p.partattrs::int2[])
    )
FROM pg_partitioned_table p
JOIN pg_inherits i ON i.inhparent = p.partrelid
WHERE p.partrelid = ANY (%(tables)s::oid[]) AND p.partdefid = 0
GROUP BY p.partrelid, p.partattrs::int2[]
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
