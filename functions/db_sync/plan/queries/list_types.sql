-- Types that the database or one of its extensions defines, without their array types.
-- `made_of`, as JSON: the types of a composite's fields, a domain's base type, a range's subtype, a
-- multirange's range; each with and without its modifier. A table's row type is listed if a column
-- has that type or an array of it.
SELECT
    format_type(t.oid, NULL) AS full_name,
    t.typtype AS kind,
    t.typname AS name,
    e.extname AS extension,
    ARRAY(
        SELECT l.enumlabel::text FROM pg_enum l WHERE l.enumtypid = t.oid ORDER BY l.enumsortorder
    ) AS labels,
    ARRAY(
        SELECT quote_ident(a.attname) FROM pg_attribute a
        WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped
        ORDER BY a.attnum
    ) AS field_names,
    (
        SELECT coalesce(
            json_agg(
                json_build_object(
                    'type', format_type(p.type, p.modifier), 'base_type', format_type(p.type, NULL)
                )
                ORDER BY p.position
            ),
            '[]'
        )
        FROM (
            SELECT a.atttypid, a.atttypmod, a.attnum FROM pg_attribute a
            WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped
            UNION ALL
            SELECT t.typbasetype, t.typtypmod, 1 WHERE t.typbasetype <> 0
            UNION ALL
            SELECT CASE t.oid WHEN r.rngtypid THEN r.rngsubtype ELSE r.rngtypid END, -1, 1
            FROM pg_range r WHERE t.oid IN (r.rngtypid, r.rngmultitypid)
        ) p (type, modifier, position)
    ) AS made_of
FROM pg_type t
LEFT JOIN pg_class c ON c.oid = t.typrelid
LEFT JOIN pg_depend d ON d.classid = 'pg_type'::regclass AND d.objid = t.oid
    AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
LEFT JOIN pg_extension e ON e.oid = d.refobjid
WHERE t.typtype IN ('e', 'd')
   OR t.typtype IN ('r', 'm') AND t.typnamespace <> 'pg_catalog'::regnamespace
   OR t.typtype = 'b' AND e.oid IS NOT NULL
   OR c.relkind = 'c'
   OR t.typtype = 'c' AND (
    t.oid IN (SELECT atttypid FROM pg_attribute)
    OR t.typarray <> 0 AND t.typarray IN (SELECT atttypid FROM pg_attribute)
)
ORDER BY full_name
