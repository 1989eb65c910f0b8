-- For each column of a sample how many different values it holds, how many of these are subs, and
-- whether some of those are keys of the users' table too. Only the numbers leave the source.
WITH given (number, holds, value) AS MATERIALIZED (
    {values}
), held (number, value) AS MATERIALIZED (
    SELECT given.number, given.value FROM given WHERE given.holds = 'sub'
    UNION
    SELECT given.number, elements.value COLLATE pg_catalog."C"
    FROM given
    LEFT JOIN LATERAL pg_catalog.unnest(
        CASE given.holds WHEN 'array' THEN given.value::text[] END
    ) elements (value) ON true
    WHERE given.holds = 'array'
    UNION
    SELECT given.number, (parts.value #>> '{{}}') COLLATE pg_catalog."C"
    FROM given
    LEFT JOIN LATERAL pg_catalog.jsonb_path_query(
        CASE given.holds WHEN 'json' THEN given.value::jsonb END, 'strict $.**'
    ) parts (value) ON pg_catalog.jsonb_typeof(parts.value) = 'string'
    WHERE given.holds = 'json'
), alike (value) AS MATERIALIZED (
    -- CASE makes PostgreSQL expect many: for one alone it might read all users, and do so for each.
    SELECT DISTINCT held.value FROM held WHERE CASE WHEN held.value ~ {form} THEN true END
), found (value, is_key) AS MATERIALIZED (
    SELECT alike.value, pg_catalog.bool_or({is_key})
    FROM alike
    JOIN {users} t ON {same}
    GROUP BY alike.value
)
SELECT
    held.number,
    pg_catalog.count(held.value) AS values,
    pg_catalog.count(found.value) AS subs,
    coalesce(pg_catalog.bool_or(found.is_key), false) AS are_keys
FROM held
LEFT JOIN found ON found.value = held.value
GROUP BY held.number
