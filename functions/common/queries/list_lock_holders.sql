-- Other sessions' locks on the given tables and their partitions; those of mere readers only if
-- asked for.
WITH members AS (
    SELECT relid::oid AS relid FROM unnest(%(tables)s::regclass[]) root (name)
    CROSS JOIN LATERAL (SELECT root.name AS relid UNION SELECT relid FROM pg_partition_tree(root.name)) tree
)
SELECT l.pid, a.application_name, l.mode, l.relation::regclass::text
FROM pg_locks l
LEFT JOIN pg_stat_activity a ON a.pid = l.pid
WHERE l.relation IN (SELECT relid FROM members)
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND l.granted AND l.pid <> pg_backend_pid()
  AND (l.mode <> 'AccessShareLock' OR %(readers)s)
ORDER BY l.pid
LIMIT 10
