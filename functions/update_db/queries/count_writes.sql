-- How many rows of the table this session has inserted, updated and deleted, partitions' and inheriting
-- tables' too. A transaction's own writes are counted at once, and those of a trigger among them.
SELECT
    sum(pg_stat_get_xact_tuples_inserted(oid))::bigint AS inserted,
    sum(pg_stat_get_xact_tuples_updated(oid))::bigint AS updated,
    sum(pg_stat_get_xact_tuples_deleted(oid))::bigint AS deleted
FROM (
    WITH RECURSIVE tables AS (
        SELECT to_regclass(%(table)s)::oid AS oid
        UNION
        SELECT inhrelid FROM pg_inherits JOIN tables ON tables.oid = inhparent
    )
    SELECT oid FROM tables
) AS tables
