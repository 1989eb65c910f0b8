-- How many rows a merge would insert, update and delete.
SELECT
    count(*) FILTER (WHERE t.ctid IS NULL),
    count(*) FILTER (WHERE t.ctid IS NOT NULL AND {differs}),
    (
        SELECT count(*)
        FROM {keys_in_ranges} t
        WHERE NOT EXISTS (SELECT FROM {stage} s WHERE {same_key})
    )
FROM {stage} s
LEFT JOIN {candidates} t ON {same_key}
