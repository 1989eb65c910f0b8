-- How many rows of the table our connection to the server has inserted, updated and deleted, those of
-- partitions and of inheriting tables too. Writes of the open transaction are counted at once, and
-- those of its triggers among them.
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
