-- The unique indexes and exclusion constraints of the given tables and their partitions: the indexed
-- columns, none where one is an expression or the index is partial, and whether it is checked at
-- once (a deferrable constraint is not).
SELECT
    members.root AS oid,
    CASE WHEN i.indexprs IS NULL AND i.indpred IS NULL AND i.indisunique THEN ARRAY(
        SELECT a.attname::text
        FROM unnest(i.indkey[0:i.indnkeyatts - 1]) k (number)
        JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number
    ) ELSE '{}' END AS columns,
    i.indimmediate AS is_immediate
FROM (
    SELECT given.root, given.root AS relid FROM unnest(%s::oid[]) given (root)
    UNION
    SELECT given.root, part.relid
    FROM unnest(%s::oid[]) given (root) CROSS JOIN pg_partition_tree(given.root) part
) members
JOIN pg_index i ON i.indrelid = members.relid AND (i.indisunique OR i.indisexclusion)
