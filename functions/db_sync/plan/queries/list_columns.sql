-- The columns of the given tables, in order.
-- Types are named with and without their modifier. Our search path makes format_type qualify every
-- name outside of pg_catalog.
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
    -- Whether it is in a unique index, alone, with others or in an expression; in a partition's too.
    EXISTS (
        SELECT
        FROM (
            SELECT a.attrelid AS relid
            UNION
            SELECT part.relid FROM pg_partition_tree(a.attrelid) part
        ) member
        JOIN pg_attribute m ON m.attrelid = member.relid AND m.attname = a.attname
        JOIN pg_index i ON i.indrelid = member.relid AND i.indisunique
        CROSS JOIN LATERAL (SELECT i.indkey[0:i.indnkeyatts - 1] AS numbers) indexed
        WHERE m.attnum = ANY (indexed.numbers) OR 0 = ANY (indexed.numbers) AND EXISTS (
            SELECT FROM pg_depend d
            WHERE d.classid = 'pg_class'::regclass AND d.objid = i.indexrelid
              AND d.refclassid = 'pg_class'::regclass AND d.refobjid = m.attrelid
              AND d.refobjsubid = m.attnum
        )
    ) AS is_unique,
    -- How it is generated, as JSON; NULL if it is not. A partition may have its own expression.
    CASE WHEN a.attgenerated <> '' THEN (
        SELECT json_build_object(
            'is_stored', a.attgenerated = 's',
            'uses_others', coalesce(bool_or(expression.uses_others), false),
            'expressions', coalesce(json_agg(
                json_build_object(
                    'sql', expression.sql,
                    'tables', expression.tables,
                    'columns', expression.columns
                )
                ORDER BY expression.sql
            ), '[]')
        )
        FROM (
            SELECT
                pg_get_expr(d.adbin, d.adrelid) AS sql,
                json_agg(DISTINCT m.attrelid::bigint) AS tables,
                coalesce(
                    json_agg(DISTINCT base.attname) FILTER (WHERE base.attname <> a.attname), '[]'
                ) AS columns,
                -- Built-in objects have no entry in pg_depend.
                bool_or(used.refclassid <> 'pg_class'::regclass) AS uses_others
            FROM (
                SELECT a.attrelid AS relid
                UNION
                SELECT part.relid FROM pg_partition_tree(a.attrelid) part
            ) member
            JOIN pg_attribute m ON m.attrelid = member.relid AND m.attname = a.attname
            JOIN pg_attrdef d ON d.adrelid = m.attrelid AND d.adnum = m.attnum
            LEFT JOIN pg_depend used
                ON used.classid = 'pg_attrdef'::regclass AND used.objid = d.oid
                -- Before PostgreSQL 15 the dependent object is the column.
                OR used.classid = 'pg_class'::regclass AND used.objid = m.attrelid
                    AND used.objsubid = m.attnum
            LEFT JOIN pg_attribute base
                ON used.refclassid = 'pg_class'::regclass AND base.attrelid = used.refobjid
                AND base.attnum = used.refobjsubid AND used.refobjsubid > 0
            GROUP BY 1
        ) expression
    ) END AS generation
FROM pg_attribute a
JOIN pg_type t ON t.oid = a.atttypid
WHERE a.attrelid = ANY (%s) AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attrelid, a.attnum
