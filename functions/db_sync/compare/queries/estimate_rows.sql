-- About how many rows the given tables have: by the planner's statistics, else by their size, for
-- rows of some hundred bytes. Partitions count for their root.
SELECT given.root, sum(
    CASE WHEN c.reltuples > 0 THEN c.reltuples::bigint ELSE pg_relation_size(c.oid) / 100 END
)::bigint
FROM unnest(%s::oid[]) given (root)
CROSS JOIN LATERAL (
    SELECT given.root AS relid UNION SELECT relid FROM pg_partition_tree(given.root)
) members
JOIN pg_class c ON c.oid = members.relid AND c.relkind IN ('r', 'p')
GROUP BY given.root
