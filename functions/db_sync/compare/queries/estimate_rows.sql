-- The estimated number of rows of the given tables: from the planner's statistics, or else from the
-- table's size, at about a hundred bytes per row. Partitions count for their root.
SELECT given.root, sum(
    CASE WHEN c.reltuples > 0 THEN c.reltuples::bigint ELSE pg_relation_size(c.oid) / 100 END
)::bigint
FROM unnest(%s::oid[]) given (root)
CROSS JOIN LATERAL (
    SELECT given.root AS relid UNION SELECT relid FROM pg_partition_tree(given.root)
) members
JOIN pg_class c ON c.oid = members.relid AND c.relkind IN ('r', 'p')
GROUP BY given.root
