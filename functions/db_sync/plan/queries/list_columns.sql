-- The columns of the given tables, in order.
-- Types are named with and without their modifier. Our search path makes format_type qualify every
-- name outside of pg_catalog.
WITH roots AS (
    SELECT unnest(%s::oid[]) AS oid
), members AS MATERIALIZED (
    -- Each table and its partitions. All of them are found once, since looking for the members of
    -- one column's table would read the columns of that name of every table.
    SELECT oid AS root, oid AS relid
    FROM roots
    UNION
    SELECT c.oid, part.relid
    FROM roots
    JOIN pg_class c ON c.oid = roots.oid AND c.relkind = 'p'
    CROSS JOIN LATERAL pg_partition_tree(c.oid) part
), unique_columns AS MATERIALIZED (
    -- Those in a unique index, alone, with others or in an expression; in a partition's too.
    SELECT DISTINCT members.root, m.attname
    FROM members
    JOIN pg_index i ON i.indrelid = members.relid AND i.indisunique
    CROSS JOIN LATERAL (SELECT i.indkey[0:i.indnkeyatts - 1] AS numbers) indexed
    JOIN pg_attribute m ON m.attrelid = members.relid AND m.attnum > 0
    WHERE m.attnum = ANY (indexed.numbers) OR 0 = ANY (indexed.numbers) AND EXISTS (
        SELECT FROM pg_depend d
        WHERE d.classid = 'pg_class'::regclass AND d.objid = i.indexrelid
          AND d.refclassid = 'pg_class'::regclass AND d.refobjid = m.attrelid
          AND d.refobjsubid = m.attnum
    )
), expressions AS (
    -- How columns are generated. A partition may have its own expression.
    SELECT
        members.root,
        m.attname,
        pg_get_expr(d.adbin, d.adrelid) AS sql,
        json_agg(DISTINCT m.attrelid::bigint) AS tables,
        coalesce(
            json_agg(DISTINCT base.attname) FILTER (WHERE base.attname <> m.attname), '[]'
        ) AS columns,
        -- Built-in objects have no entry in pg_depend.
        bool_or(used.refclassid <> 'pg_class'::regclass) AS uses_others
    FROM members
    JOIN pg_attribute m ON m.attrelid = members.relid AND m.attgenerated <> ''
    JOIN pg_attrdef d ON d.adrelid = m.attrelid AND d.adnum = m.attnum
    LEFT JOIN pg_depend used
        ON used.classid = 'pg_attrdef'::regclass AND used.objid = d.oid
        -- Before PostgreSQL 15 the dependent object is the column.
        OR used.classid = 'pg_class'::regclass AND used.objid = m.attrelid
            AND used.objsubid = m.attnum
    LEFT JOIN pg_attribute base
        ON used.refclassid = 'pg_class'::regclass AND base.attrelid = used.refobjid
        AND base.attnum = used.refobjsubid AND used.refobjsubid > 0
    GROUP BY 1, 2, 3
), generations AS MATERIALIZED (
    SELECT
        root,
        attname,
        coalesce(bool_or(uses_others), false) AS uses_others,
        json_agg(
            json_build_object('sql', sql, 'tables', tables, 'columns', columns) ORDER BY sql
        ) AS expressions
    FROM expressions
    GROUP BY 1, 2
)
SELECT
    a.attrelid AS table_oid,
    a.attname AS name,
    format_type(a.atttypid, a.atttypmod) AS type,
    format_type(a.atttypid, NULL) AS base_type,
    t.typcategory AS category,
    a.attnotnull OR t.typnotnull AS is_required,
    a.atthasdef OR a.attidentity <> '' OR t.typdefault IS NOT NULL AS has_default,
    a.attidentity = 'a' AS is_always_generated,
    -- The columns of every unique index that the column is part of, as JSON; partial ones too.
    -- Of the indexes on expressions, only those on a single expression that uses the column.
    (
        SELECT coalesce(json_agg(DISTINCT key.columns), '[]')
        FROM pg_index i
        CROSS JOIN LATERAL (SELECT i.indkey[0:i.indnkeyatts - 1] AS numbers) indexed
        LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = i.indexrelid
            AND d.refclassid = 'pg_class'::regclass AND d.refobjid = a.attrelid
            AND d.refobjsubid = a.attnum
        CROSS JOIN LATERAL (
            SELECT CASE
                WHEN i.indnkeyatts = 1 THEN jsonb_build_array(a.attname)
                ELSE (
                    SELECT jsonb_agg(other.attname ORDER BY other.attnum)
                    FROM pg_attribute other
                    WHERE other.attrelid = a.attrelid AND other.attnum = ANY (indexed.numbers)
                )
            END AS columns
        ) key
        WHERE i.indrelid = a.attrelid AND i.indisunique AND (
            a.attnum = ANY (indexed.numbers) AND NOT 0 = ANY (indexed.numbers)
            OR i.indnkeyatts = 1 AND i.indkey[0] = 0 AND d.objid IS NOT NULL
        )
    ) AS unique_keys,
    unique_columns.root IS NOT NULL AS is_unique,
    -- How it is generated, as JSON; NULL if it is not.
    CASE WHEN a.attgenerated <> '' THEN json_build_object(
        'is_stored', a.attgenerated = 's',
        'uses_others', coalesce(g.uses_others, false),
        'expressions', coalesce(g.expressions, '[]')
    ) END AS generation
FROM roots
JOIN pg_attribute a ON a.attrelid = roots.oid
JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN unique_columns ON unique_columns.root = a.attrelid AND unique_columns.attname = a.attname
LEFT JOIN generations g ON g.root = a.attrelid AND g.attname = a.attname
WHERE a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attrelid, a.attnum
