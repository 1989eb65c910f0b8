-- Every valid foreign key, with the query that counts the rows that violate it.
SELECT
    format('%s %s', k.conrelid::regclass, k.conname) AS name,
    k.conname::text AS constraint_name,
    format(
        'SELECT count(*) FROM %s %s c WHERE (%s) AND NOT EXISTS (SELECT FROM %s %s p WHERE %s)',
        CASE WHEN child.relkind = 'p' THEN '' ELSE 'ONLY' END,
        k.conrelid::regclass,
        (
            SELECT string_agg(
                format('c.%I IS NOT NULL', a.attname),
                CASE k.confmatchtype WHEN 'f' THEN ' OR ' ELSE ' AND ' END
            )
            FROM pg_attribute a
            WHERE a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey)
        ),
        CASE WHEN parent.relkind = 'p' THEN '' ELSE 'ONLY' END,
        k.confrelid::regclass,
        (
            SELECT string_agg(format('p.%I = c.%I', p.attname, c.attname), ' AND ')
            FROM unnest(k.conkey, k.confkey) AS pair (child, parent)
            JOIN pg_attribute c ON c.attrelid = k.conrelid AND c.attnum = pair.child
            JOIN pg_attribute p ON p.attrelid = k.confrelid AND p.attnum = pair.parent
        )
    ) AS query
FROM pg_constraint k
JOIN pg_class child ON child.oid = k.conrelid
JOIN pg_class parent ON parent.oid = k.confrelid
WHERE k.contype = 'f' AND k.convalidated AND k.conparentid = 0
ORDER BY 1
