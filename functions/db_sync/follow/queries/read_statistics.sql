-- Values of some columns in the planner's statistics, as texts, about so many of each at the most;
-- NULL for a column of which no value can hold a sub, since it has no dash or is NULL itself. Those
-- of a partitioned table are its partitions' too.
-- PostgreSQL hashes a FULL JOIN. It expects that pg_stats has a few rows, and would compare all of
-- them with all columns otherwise.
SELECT known.number, known.holds, kept.value COLLATE pg_catalog."C"
FROM (
    SELECT
        wanted.number, wanted.holds, {most} / wanted.members AS most,
        s.null_frac, s.most_common_vals, s.histogram_bounds
    FROM (
        SELECT
            columns.number, columns.holds, columns.name, members.members,
            n.nspname, c.relname, c.relkind
        FROM unnest({numbers}::integer[], {tables}::oid[], {names}::name[], {holds}::text[])
            columns (number, root, name, holds)
        JOIN (
            SELECT plain.root, plain.root AS relid, 1 AS members
            FROM unnest({plain}::oid[]) plain (root)
            UNION ALL
            SELECT partitioned.root, tree.relid, pg_catalog.cardinality(trees.relids)
            FROM unnest({partitioned}::oid[]) partitioned (root)
            CROSS JOIN LATERAL (
                SELECT ARRAY(SELECT relid FROM pg_catalog.pg_partition_tree(partitioned.root))
            ) trees (relids)
            CROSS JOIN LATERAL pg_catalog.unnest(trees.relids) tree (relid)
        ) members USING (root)
        JOIN pg_catalog.pg_class c ON c.oid = members.relid
        JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    ) wanted
    FULL JOIN pg_catalog.pg_stats s
        ON s.schemaname = wanted.nspname AND s.tablename = wanted.relname
        AND s.attname = wanted.name AND s.inherited = (wanted.relkind = 'p')
    OFFSET 0
) known
CROSS JOIN LATERAL (
    VALUES (known.most_common_vals::text), (known.histogram_bounds::text)
) texts (list)
CROSS JOIN LATERAL (
    SELECT CASE WHEN pg_catalog.strpos(texts.list, '-') > 0 THEN texts.list::text[] END
    OFFSET 0 -- so that it is converted once, and not for each element
) lists (list)
CROSS JOIN LATERAL (
    SELECT elements.value
    FROM pg_catalog.unnest(lists.list) WITH ORDINALITY elements (value, position)
    WHERE pg_catalog.mod(
        elements.position - 1, 1 + pg_catalog.cardinality(lists.list) / greatest(known.most, 1)
    ) = 0
    UNION ALL
    SELECT NULL WHERE known.null_frac = 1 OR (lists.list IS NULL AND texts.list IS NOT NULL)
) kept
WHERE known.number IS NOT NULL
