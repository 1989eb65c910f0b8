-- Who holds an advisory lock of one 64-bit key in this database; for prepared transactions see
-- list_lock_holders.sql.
SELECT
    l.pid,
    coalesce(a.usename, p.owner),
    a.backend_type,
    a.application_name,
    p.transaction::text AS prepared,
    p.gid
FROM pg_locks l
LEFT JOIN pg_stat_activity a ON a.pid = l.pid
LEFT JOIN pg_locks own ON l.pid IS NULL AND own.pid IS NULL
    AND own.virtualtransaction = l.virtualtransaction
    AND own.locktype = 'transactionid' AND own.mode = 'ExclusiveLock'
LEFT JOIN pg_prepared_xacts p ON p.transaction = own.transactionid
WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
  AND l.classid = %(high)s AND l.objid = %(low)s
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
LIMIT 1
