-- Other sessions' locks: on the given tables and their partitions (those of mere readers only if
-- asked for), and the advisory lock of a 64-bit key. A prepared transaction holds its locks without
-- a backend; the lock that it holds on its own id tells which one it is.
WITH members AS (
    SELECT relid::oid AS relid FROM unnest(%(tables)s::regclass[]) root (name)
    CROSS JOIN LATERAL (SELECT root.name AS relid UNION SELECT relid FROM pg_partition_tree(root.name)) tree
)
SELECT
    l.pid,
    coalesce(a.usename, p.owner) AS user_name,
    a.backend_type,
    a.application_name,
    p.transaction::text AS prepared,
    p.gid,
    l.mode,
    l.relation::regclass::text AS table_name
FROM pg_locks l
LEFT JOIN pg_stat_activity a ON a.pid = l.pid
LEFT JOIN pg_locks own ON l.pid IS NULL AND own.pid IS NULL
    AND own.virtualtransaction = l.virtualtransaction
    AND own.locktype = 'transactionid' AND own.mode = 'ExclusiveLock'
LEFT JOIN pg_prepared_xacts p ON p.transaction = own.transactionid
WHERE l.granted AND l.pid IS DISTINCT FROM pg_backend_pid()
  AND (l.pid IS NULL OR a.pid IS NOT NULL) -- else it has ended since
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND (
    l.relation IN (SELECT relid FROM members) AND (l.mode <> 'AccessShareLock' OR %(readers)s)
    OR l.locktype = 'advisory' AND l.objsubid = 1 AND l.classid = %(high)s AND l.objid = %(low)s
  )
ORDER BY l.pid, prepared
LIMIT 10
