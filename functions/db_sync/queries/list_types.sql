-- Types that a database defines for itself, with what they are made of: an enum's labels, a
-- domain's base type with and without its modifier, a composite's fields. A table's row type counts
-- where a column is of it, or of an array of it.
SELECT
    format_type(t.oid, NULL) AS name,
    t.typtype AS kind,
    coalesce(
        CASE t.typtype
            WHEN 'e' THEN (
                SELECT array_agg(e.enumlabel::text ORDER BY e.enumsortorder)
                FROM pg_enum e WHERE e.enumtypid = t.oid
            )
            WHEN 'd' THEN ARRAY[
                format_type(t.typbasetype, t.typtypmod), format_type(t.typbasetype, NULL)
            ]
            ELSE (
                SELECT array_agg(
                    quote_ident(a.attname) || ' ' || format_type(a.atttypid, a.atttypmod)
                    ORDER BY a.attnum
                )
                FROM pg_attribute a
                WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped
            )
        END,
        '{}'
    ) AS parts
FROM pg_type t
LEFT JOIN pg_class c ON c.oid = t.typrelid
WHERE t.typtype IN ('e', 'd') OR c.relkind = 'c' OR t.typtype = 'c' AND (
    t.oid IN (SELECT atttypid FROM pg_attribute)
    OR t.typarray <> 0 AND t.typarray IN (SELECT atttypid FROM pg_attribute)
)
ORDER BY name
