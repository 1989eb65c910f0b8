-- Tables in publications that publish updates or deletes; partitions count as their root.
-- `refuses_changes`: PostgreSQL refuses to update or delete rows, since the table has no replica
-- identity, or one that lacks columns of a row filter, or one with columns that are not published.
-- `hides_truncate`: TRUNCATE is not published.
-- to_jsonb reads columns that only newer versions have.
-- https://www.postgresql.org/docs/current/logical-replication-publication.html
WITH published AS (
    SELECT
        to_jsonb(p) ->> 'pubgencols' AS generated,  -- from 18 on
        p.pubtruncate,
        g.relid AS as_table,
        to_jsonb(pr) ->> 'prqual' AS filter,
        nullif(to_jsonb(pr) -> 'prattrs', 'null') AS listed,
        coalesce(part.relid, g.relid) AS relid
    FROM pg_publication p
    CROSS JOIN LATERAL pg_get_publication_tables(p.pubname) g
    LEFT JOIN pg_publication_rel pr ON pr.prpubid = p.oid AND pr.prrelid = g.relid
    LEFT JOIN LATERAL pg_partition_tree(g.relid) part ON true
    WHERE p.pubupdate OR p.pubdelete
), identities AS (
    SELECT c.oid AS relid, c.relreplident = 'f' AS is_full, columns.names
    FROM pg_class c
    LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisvalid AND i.indimmediate
        AND CASE c.relreplident WHEN 'd' THEN i.indisprimary WHEN 'i' THEN i.indisreplident END
    CROSS JOIN LATERAL (
        SELECT array_agg(a.attname) AS names
        FROM pg_attribute a
        WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
          AND (c.relreplident = 'f' OR a.attnum = ANY (i.indkey[0:i.indnkeyatts - 1]))
    ) columns
    WHERE c.relkind = 'r' AND c.oid IN (SELECT relid FROM published)
)
SELECT
    coalesce(pg_partition_root(published.relid)::oid, published.relid) AS table_oid,
    bool_or(
        identities.names IS NULL
        OR NOT identities.is_full AND EXISTS (
            SELECT FROM regexp_matches(published.filter, ':varattno (\d+)', 'g') var (number)
            JOIN pg_attribute a ON a.attrelid = published.as_table
                AND a.attnum = var.number[1]::int2
            WHERE a.attname <> ALL (identities.names)
        )
        OR published.listed IS NOT NULL AND (
            identities.is_full
            OR NOT identities.names <@ ARRAY(
                SELECT a.attname FROM pg_attribute a
                WHERE a.attrelid = published.as_table AND published.listed @> to_jsonb(a.attnum)
            )
        )
        OR published.generated IS NOT NULL AND EXISTS (
            SELECT FROM pg_attribute a
            WHERE a.attrelid = published.relid AND a.attname = ANY (identities.names)
              AND (
                  a.attgenerated = 'v'
                  OR a.attgenerated = 's' AND published.generated <> 's'
                  AND published.listed IS NULL
              )
        )
    ) AS refuses_changes,
    bool_or(NOT published.pubtruncate) AS hides_truncate
FROM published
JOIN identities ON identities.relid = published.relid
GROUP BY table_oid
