-- Materialized views whose contents may change because the given tables were written. They read one
-- of these tables, perhaps through other views or through a parent in an inheritance tree; or they
-- call functions that may read any table, which the catalog does not show.
-- Each comes after the views that it reads: it reads more materialized views than any of them does.
-- For this order, what a function reads is guessed by the names in its text. Views whose tables are
-- all known come first, since they read none of the others.
WITH RECURSIVE written AS (
    SELECT root.oid AS relid FROM unnest(%(tables)s::oid[]) root (oid)
    UNION
    SELECT part.relid FROM unnest(%(tables)s::oid[]) root (oid)
    CROSS JOIN pg_partition_tree(root.oid) part
    UNION
    SELECT i.inhparent FROM written JOIN pg_inherits i ON i.inhrelid = written.relid
), views AS (
    SELECT c.oid, c.relname, c.relkind, r.oid AS rule, r.ev_action
    FROM pg_class c
    JOIN pg_rewrite r ON r.ev_class = c.oid
    WHERE c.relkind IN ('v', 'm') AND c.oid >= 16384  -- below are PostgreSQL's own objects
), readers AS (
    -- An immutable function in C only computes. One that a user wrote may be declared so and read.
    SELECT p.oid, p.prosrc AS source
    FROM pg_proc p
    JOIN pg_language l ON l.oid = p.prolang
    WHERE p.oid >= 16384 AND NOT (l.lanname IN ('c', 'internal') AND p.provolatile = 'i')
), text_readers AS (
    -- PostgreSQL's own functions that run a query that they are given, or read what it names. Only
    -- the view's rule shows that it calls one.
    SELECT views.oid, pg_get_viewdef(views.oid) AS source
    FROM views
    WHERE views.ev_action::text ~ (
        SELECT ':funcid (' || string_agg(p.oid::text, '|') || ') '
        FROM pg_proc p
        WHERE p.pronamespace = 'pg_catalog'::regnamespace
          AND p.proname ~ '^(ts_stat|ts_rewrite|(query|table|schema|database)_to_xml.*)$'
    )
), opaque AS (
    SELECT 'pg_proc'::regclass AS class, readers.oid AS object, readers.source FROM readers
    UNION ALL
    SELECT 'pg_class'::regclass, text_readers.oid, text_readers.source FROM text_readers
), uses AS (
    SELECT 'pg_class'::regclass AS class, views.oid AS object, d.refclassid, d.refobjid
    FROM views
    JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = views.rule
    UNION
    -- Operators and aggregates call functions; functions with a standard SQL body depend on tables.
    SELECT d.classid, d.objid, d.refclassid, d.refobjid
    FROM pg_depend d
    WHERE d.classid IN ('pg_proc'::regclass, 'pg_operator'::regclass)
    UNION
    SELECT opaque.class, opaque.object, 'pg_class'::regclass, views.oid
    FROM opaque
    CROSS JOIN regexp_split_to_table(lower(opaque.source), '[^[:alnum:]_]+') word
    JOIN views ON lower(views.relname) = word
    WHERE views.relkind = 'm'
), reads AS (
    SELECT views.oid AS view, 'pg_class'::regclass::oid AS class, views.oid AS object
    FROM views
    WHERE views.relkind = 'm'
    UNION
    SELECT reads.view, uses.refclassid, uses.refobjid
    FROM reads
    JOIN uses ON uses.class = reads.class AND uses.object = reads.object
)
SELECT n.nspname AS schema, c.relname AS name
FROM reads
JOIN pg_class c ON c.oid = reads.view
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_class read ON reads.class = 'pg_class'::regclass AND read.oid = reads.object
LEFT JOIN opaque ON opaque.class = reads.class AND opaque.object = reads.object
WHERE c.relispopulated
GROUP BY n.nspname, c.relname
HAVING count(opaque.object) > 0 OR bool_or(read.oid IN (SELECT relid FROM written))
ORDER BY
    count(opaque.object) > 0,
    count(*) FILTER (WHERE read.relkind = 'm'),
    n.nspname,
    c.relname
