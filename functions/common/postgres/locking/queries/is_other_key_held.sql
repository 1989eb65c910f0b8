-- Whether anybody holds an advisory lock of a class of two-part keys, other than the given one.
SELECT EXISTS (
    SELECT FROM pg_catalog.pg_locks
    WHERE locktype = 'advisory' AND objsubid = 2 AND classid = %(class)s AND objid <> %(but)s
      AND granted
      AND database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
)
