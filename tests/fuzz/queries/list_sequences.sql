-- Every sequence, with the query for its last value, is_called and next value.
SELECT
    format('%I.%I', n.nspname, c.relname) AS name,
    format(
        'SELECT last_value::text, is_called::text, (last_value + CASE WHEN is_called THEN %s ELSE 0 END)::text FROM %I.%I',
        s.seqincrement, n.nspname, c.relname
    ) AS query
FROM pg_sequence s
JOIN pg_class c ON c.oid = s.seqrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
ORDER BY 1
