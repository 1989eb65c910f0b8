-- A name that nobody in production need have: a first one, and a last one if the value has a blank.
(
    SELECT
        ({first})[1 + pg_catalog.mod(pg_catalog.get_byte(digest, 0), {count})]
        || CASE
            WHEN pg_catalog.strpos({text}, ' ') > 0
                THEN ' ' || ({last})[1 + pg_catalog.mod(pg_catalog.get_byte(digest, 1), {count})]
            ELSE ''
        END
    FROM (SELECT {digest} AS digest OFFSET 0) staging_sync_digest
)
