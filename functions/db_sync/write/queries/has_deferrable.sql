-- Whether one of the given tables, or a partition, has a deferrable unique or exclusion constraint.
SELECT EXISTS (
    SELECT FROM unnest(%s::oid[]) root (oid)
    CROSS JOIN LATERAL (
        SELECT root.oid AS relid UNION SELECT relid FROM pg_partition_tree(root.oid)
    ) members
    JOIN pg_constraint c ON c.conrelid = members.relid
    WHERE c.contype IN ('p', 'u', 'x') AND c.condeferrable
)
