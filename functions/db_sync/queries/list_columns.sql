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
    EXISTS (
        SELECT FROM pg_index i
        WHERE i.indrelid = a.attrelid AND i.indisunique AND i.indpred IS NULL
          AND i.indnkeyatts = 1 AND i.indkey[0] = a.attnum
    ) AS is_unique,
    a.attidentity = 'a' AS is_always_generated
FROM pg_attribute a
JOIN pg_type t ON t.oid = a.atttypid
WHERE a.attrelid = ANY (%s) AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attrelid, a.attnum
