-- Materialized views that read the given tables, directly or through other views, in an order
-- in which each comes after those that it reads: it reads more of them than any of these does.
WITH RECURSIVE written AS (
    SELECT root.oid AS relid FROM unnest(%s::oid[]) root (oid)
    UNION
    SELECT part.relid FROM unnest(%s::oid[]) root (oid) CROSS JOIN pg_partition_tree(root.oid) part
), edges AS (
    SELECT DISTINCT r.ev_class AS view, d.refobjid AS relation
    FROM pg_rewrite r
    JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
        AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> r.ev_class
), reads AS (
    SELECT view, relation FROM edges
    UNION
    SELECT reads.view, edges.relation FROM reads JOIN edges ON edges.view = reads.relation
)
SELECT n.nspname, c.relname
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN reads ON reads.view = c.oid
JOIN pg_class read ON read.oid = reads.relation
WHERE c.relkind = 'm' AND c.relispopulated
GROUP BY n.nspname, c.relname
HAVING bool_or(read.oid IN (SELECT relid FROM written))
ORDER BY count(*) FILTER (WHERE read.relkind = 'm'), n.nspname, c.relname
