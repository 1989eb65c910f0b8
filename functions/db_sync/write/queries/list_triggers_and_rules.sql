-- Triggers and rules on the given tables and their partitions that would fire on a write, by
-- session_replication_role: "origin" fires those enabled normally, "replica" those enabled
-- for replicas; both fire those enabled always.
WITH members AS (
    SELECT root.oid AS relid FROM unnest(%(tables)s::oid[]) root (oid)
    UNION
    SELECT part.relid FROM unnest(%(tables)s::oid[]) root (oid)
    CROSS JOIN pg_partition_tree(root.oid) part
)
SELECT found.kind, n.nspname AS schema, c.relname AS table_name, found.name, found.state
FROM (
    SELECT 'TRIGGER' AS kind, t.tgrelid AS relid, t.tgname AS name, t.tgenabled AS state
    FROM pg_trigger t
    WHERE NOT t.tgisinternal
    UNION ALL
    SELECT 'RULE', r.ev_class, r.rulename, r.ev_enabled
    FROM pg_rewrite r
    WHERE r.rulename <> '_RETURN'
) found
JOIN members ON members.relid = found.relid
JOIN pg_class c ON c.oid = found.relid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE found.state = ANY (
    CASE current_setting('session_replication_role')
        WHEN 'replica' THEN '{R,A}'::"char"[] ELSE '{O,A}'::"char"[]
    END
)
ORDER BY n.nspname, c.relname, found.kind, found.name
