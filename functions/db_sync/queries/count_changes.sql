-- How many rows a merge would insert, update and delete.
SELECT
    count(*) FILTER (WHERE t.ctid IS NULL),
    count(*) FILTER (WHERE t.ctid IS NOT NULL AND {differs}),
    (
        SELECT count(*)
        FROM {rows} t
        JOIN {ranges} ON {in_a_range}
        WHERE NOT EXISTS (SELECT FROM {stage} s WHERE {same_key})
    )
FROM {stage} s
LEFT JOIN {in_ranges} t ON {same_key}
