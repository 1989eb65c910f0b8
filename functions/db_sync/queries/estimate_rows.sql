-- About how many rows a table has: by the planner's statistics, else by its size, for rows of
-- some hundred bytes. Partitions count for their root.
SELECT coalesce(sum(
    CASE WHEN c.reltuples > 0 THEN c.reltuples::bigint ELSE pg_relation_size(c.oid) / 100 END
), 0)::bigint
FROM (SELECT %s::oid AS root) given
CROSS JOIN LATERAL (
    SELECT given.root AS relid UNION SELECT relid FROM pg_partition_tree(given.root)
) members
JOIN pg_class c ON c.oid = members.relid AND c.relkind = 'r'
