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
    -- Alone under a unique index, whole or partial, itself or in an expression.
    EXISTS (
        SELECT FROM pg_index i
        LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = i.indexrelid
            AND d.refclassid = 'pg_class'::regclass AND d.refobjid = a.attrelid
            AND d.refobjsubid = a.attnum
        WHERE i.indrelid = a.attrelid AND i.indisunique AND i.indnkeyatts = 1
          AND (i.indkey[0] = a.attnum OR i.indkey[0] = 0 AND d.objid IS NOT NULL)
    ) AS is_unique,
    a.attidentity = 'a' AS is_always_generated
FROM pg_attribute a
JOIN pg_type t ON t.oid = a.atttypid
WHERE a.attrelid = ANY (%s) AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attrelid, a.attnum
