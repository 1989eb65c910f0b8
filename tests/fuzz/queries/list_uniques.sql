-- Every unique index, with the query that counts the values that violate it.
SELECT
    i.indexrelid::regclass::text AS name,
    format(
        'SELECT count(*) FROM (SELECT FROM ONLY %s WHERE %s AND (%s) GROUP BY %s'
        ' HAVING count(*) > 1) d',
        i.indrelid::regclass,
        coalesce(pg_get_expr(i.indpred, i.indrelid), 'true'),
        CASE
            WHEN to_jsonb(i) ->> 'indnullsnotdistinct' = 'true' THEN 'true'
            ELSE (
                SELECT string_agg(format('%I IS NOT NULL', a.attname), ' AND ')
                FROM unnest(i.indkey) WITH ORDINALITY AS k (number, place)
                JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number
                WHERE k.place <= i.indnkeyatts
            )
        END,
        (
            SELECT string_agg(format('%I', a.attname), ', ')
            FROM unnest(i.indkey) WITH ORDINALITY AS k (number, place)
            JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number
            WHERE k.place <= i.indnkeyatts
        )
    ) AS query
FROM pg_index i
JOIN pg_class c ON c.oid = i.indrelid
WHERE (i.indisunique OR i.indisexclusion)
    AND i.indexprs IS NULL
    AND c.relkind = 'r'
    AND i.indrelid >= 16384
ORDER BY 1
