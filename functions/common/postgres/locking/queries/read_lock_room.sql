-- The settings that the room for locks depends on, and how much there is to lock: tables with
-- partitions, and these together with indexes and TOAST tables.
SELECT
    current_setting('max_locks_per_transaction')::int AS per_transaction,
    current_setting('max_connections')::int + current_setting('max_prepared_transactions')::int AS sessions,
    count(*) FILTER (WHERE relkind IN ('r', 'p')) AS tables,
    count(*) AS relations
FROM pg_class
WHERE relkind IN ('r', 'p', 'i', 'I', 't') AND relpersistence <> 't' AND oid >= 16384
