-- The columns of the given tables, in their order. Types are named with and without their
-- modifier; the search path makes every name outside pg_catalog a qualified one.
SELECT
    a.attrelid,
    a.attname,
    format_type(a.atttypid, a.atttypmod) AS type,
    format_type(a.atttypid, NULL) AS base_type,
    t.typcategory AS category,
    a.attnotnull OR t.typnotnull AS is_required,
    a.atthasdef OR a.attidentity <> '' OR t.typdefault IS NOT NULL AS has_default,
    a.attgenerated <> '' AS is_generated,
    a.attidentity = 'a' AS is_always_generated,
    -- The columns of every unique index that it is under, as JSON: whole or partial, and alone or
    -- not. Of those on expressions, the ones of a single expression that the column is in.
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
    ) AS unique_keys
FROM pg_attribute a
JOIN pg_type t ON t.oid = a.atttypid
WHERE a.attrelid = ANY (%s) AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attrelid, a.attnum
