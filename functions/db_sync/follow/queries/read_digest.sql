-- How many people a table has, and a sum that changes if one of them does.
SELECT
    count(*),
    coalesce(pg_catalog.mod(sum(
        pg_catalog.hashtextextended(coalesce(source_sub, ''), 1)
            # pg_catalog.hashtextextended(coalesce(target_sub, ''), 2)
    ), 9223372036854775807), 0)::bigint
FROM {people}
