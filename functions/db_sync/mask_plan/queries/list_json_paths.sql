-- The paths of the scalars in a sample of a JSON column, with how many documents have each, how many
-- of its values are texts or numbers, and how many match each pattern. No value leaves the source,
-- and a key only if several documents have it and it looks like a field's name: any other is ".*".
-- `personal_keys`: whether a key matches one of the patterns.
WITH RECURSIVE documents AS MATERIALIZED (
    SELECT pg_catalog.row_number() OVER () AS number, given.value
    FROM (SELECT {value}::jsonb AS value FROM {rows} WHERE pg_catalog.pg_column_size({value}) < {most_bytes} LIMIT {most}) given
    WHERE given.value IS NOT NULL
), parts (number, path, value) AS (
    SELECT documents.number, ARRAY[]::text[], documents.value FROM documents
    UNION ALL
    SELECT parts.number, parts.path || part.step, part.value
    FROM parts
    CROSS JOIN LATERAL (
        SELECT '.' || fields.key, fields.value
        FROM pg_catalog.jsonb_each(
            CASE WHEN pg_catalog.jsonb_typeof(parts.value) = 'object' THEN parts.value ELSE '{{}}' END
        ) fields
        UNION ALL
        SELECT '[*]', elements.value
        FROM pg_catalog.jsonb_array_elements(
            CASE WHEN pg_catalog.jsonb_typeof(parts.value) = 'array' THEN parts.value ELSE '[]' END
        ) elements
    ) part (step, value)
    WHERE pg_catalog.cardinality(parts.path) < {most_steps}
), keys AS (
    SELECT
        parts.path[pg_catalog.cardinality(parts.path)] AS step,
        pg_catalog.count(DISTINCT parts.number) AS documents
    FROM parts
    WHERE parts.path[pg_catalog.cardinality(parts.path)] <> '[*]'
    GROUP BY 1
), scalars AS (
    SELECT
        parts.number,
        ARRAY(
            SELECT CASE
                WHEN steps.step = '[*]' THEN steps.step
                WHEN keys.documents > 1 AND keys.step ~ {field_name} AND keys.step !~ {many_digits}
                    THEN keys.step
                ELSE '.*'
            END
            FROM pg_catalog.unnest(parts.path) WITH ORDINALITY steps (step, position)
            LEFT JOIN keys ON keys.step = steps.step
            ORDER BY steps.position
        ) AS path,
        pg_catalog.jsonb_typeof(parts.value) AS type,
        parts.value #>> '{{}}' AS value
    FROM parts
    WHERE pg_catalog.jsonb_typeof(parts.value) IN ('string', 'number', 'boolean')
)
SELECT
    scalars.path AS steps,
    pg_catalog.count(DISTINCT scalars.number) AS documents,
    (SELECT pg_catalog.count(*) FROM documents) AS all_documents,
    pg_catalog.count(*) FILTER (WHERE scalars.type <> 'boolean' AND scalars.value <> '') AS filled,
    ARRAY[{matches}] AS matching,
    EXISTS (
        SELECT FROM keys
        CROSS JOIN LATERAL (SELECT pg_catalog.substr(keys.step, 2) AS value) texts
        WHERE {is_personal}
    ) AS personal_keys
FROM scalars
CROSS JOIN LATERAL (SELECT scalars.value) texts (value)
GROUP BY scalars.path
ORDER BY scalars.path
