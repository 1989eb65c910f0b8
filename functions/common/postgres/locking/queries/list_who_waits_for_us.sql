-- The backends that wait for a lock of ours, or for a backend that does.
WITH RECURSIVE waiting AS (
    SELECT l.pid, b.blocker
    FROM pg_locks l CROSS JOIN LATERAL unnest(pg_blocking_pids(l.pid)) b (blocker)
    WHERE NOT l.granted
), for_us AS (
    SELECT pid FROM waiting WHERE blocker = pg_backend_pid()
    UNION
    SELECT waiting.pid FROM waiting JOIN for_us ON waiting.blocker = for_us.pid
)
SELECT pid FROM for_us
