-- How many bytes and blocks each of the given tables has, and about how many rows: without indexes,
-- with values that are stored elsewhere (TOAST). Partitions count for their root; `blocks` are those
-- of the largest of them.
SELECT
    given.root AS oid,
    sum(pg_table_size(c.oid))::bigint AS bytes,
    max(pg_relation_size(c.oid) / current_setting('block_size')::bigint)::bigint AS blocks,
    sum(
        CASE WHEN c.reltuples > 0 THEN c.reltuples::bigint ELSE pg_relation_size(c.oid) / 100 END
    )::bigint AS rows
FROM unnest(%s::oid[]) given (root)
CROSS JOIN LATERAL (
    SELECT given.root AS relid UNION SELECT relid FROM pg_partition_tree(given.root)
) members
JOIN pg_class c ON c.oid = members.relid AND c.relkind IN ('r', 'p')
GROUP BY given.root
