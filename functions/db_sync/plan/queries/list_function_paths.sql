-- The search path that the application's functions need, for each table that calls any.
-- A table calls them in indexes, checks, defaults, generated columns, statistics, partition keys or
-- domains; a partition counts as its root. What a function's body names is most likely found in the
-- path of the table's owner, and then in the function's own schema.
WITH called AS (
    SELECT p.oid, n.nspname
    FROM pg_proc p
    JOIN pg_namespace n ON n.oid = p.pronamespace
    JOIN pg_language l ON l.oid = p.prolang
    WHERE l.lanname NOT IN ('internal', 'c')
      AND n.nspname NOT IN ('pg_catalog', 'information_schema')
), calling AS (
    SELECT d.classid, d.objid, called.nspname
    FROM called
    JOIN pg_depend d ON d.refclassid = 'pg_proc'::regclass AND d.refobjid = called.oid
    UNION
    SELECT d.classid, d.objid, called.nspname
    FROM called
    JOIN pg_operator o ON o.oprcode = called.oid
    JOIN pg_depend d ON d.refclassid = 'pg_operator'::regclass AND d.refobjid = o.oid
), tables AS (
    SELECT coalesce(i.indrelid, a.adrelid, c.conrelid, s.stxrelid, t.oid) AS relid, calling.nspname
    FROM calling
    LEFT JOIN pg_index i ON calling.classid = 'pg_class'::regclass AND i.indexrelid = calling.objid
    LEFT JOIN pg_class t ON calling.classid = 'pg_class'::regclass AND t.oid = calling.objid
    LEFT JOIN pg_attrdef a ON calling.classid = 'pg_attrdef'::regclass AND a.oid = calling.objid
    LEFT JOIN pg_constraint c
        ON calling.classid = 'pg_constraint'::regclass AND c.oid = calling.objid
    LEFT JOIN pg_statistic_ext s
        ON calling.classid = 'pg_statistic_ext'::regclass AND s.oid = calling.objid
    UNION
    SELECT a.attrelid, calling.nspname
    FROM calling
    JOIN pg_constraint c ON calling.classid = 'pg_constraint'::regclass AND c.oid = calling.objid
    JOIN pg_type t ON t.oid = c.contypid
    JOIN pg_attribute a ON a.atttypid IN (t.oid, t.typarray)
), roots AS (
    SELECT
        coalesce(pg_partition_root(tables.relid)::oid, tables.relid) AS root,
        string_agg(DISTINCT quote_ident(tables.nspname), ', ') AS schemas
    FROM tables
    JOIN pg_class c ON c.oid = tables.relid AND c.relkind IN ('r', 'p')
    GROUP BY 1
)
SELECT roots.root AS table_oid, concat_ws(', ', owners.path, roots.schemas) AS path
FROM roots
JOIN pg_class c ON c.oid = roots.root
LEFT JOIN LATERAL (
    SELECT replace(
        substr(setting, length('search_path=') + 1),
        '"$user"',
        quote_ident(pg_get_userbyid(c.relowner))
    ) AS path
    FROM pg_db_role_setting s
    JOIN pg_database d ON d.datname = current_database() AND s.setdatabase IN (0, d.oid)
    CROSS JOIN unnest(s.setconfig) setting
    WHERE s.setrole IN (0, c.relowner) AND setting LIKE 'search\_path=%'
    ORDER BY s.setrole DESC, s.setdatabase DESC
    LIMIT 1
) owners ON owners.path <> ''
ORDER BY roots.root
