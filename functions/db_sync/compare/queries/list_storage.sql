-- A digest, for each of the given tables, of what its rows are read from: the files of the table and
-- its partitions, the partitions' bounds, and which attribute is which column, with the value that
-- older rows have in it. Each of these can change what is read though no row is written: partitions
-- are exchanged, or a column is dropped and one of its name is added with a default.
SELECT
    given.root AS oid,
    hashtextextended(
        string_agg(
            concat_ws(
                ' ',
                c.oid, c.relfilenode, pg_get_expr(c.relpartbound, c.oid), attributes.described
            ),
            ' ' ORDER BY c.oid
        ),
        0
    ) AS digest
FROM unnest(%s::oid[]) given (root)
CROSS JOIN LATERAL (
    SELECT given.root AS relid UNION SELECT relid FROM pg_partition_tree(given.root)
) members
JOIN pg_class c ON c.oid = members.relid
LEFT JOIN LATERAL (
    SELECT string_agg(
        concat_ws(' ', a.attnum, quote_ident(a.attname), quote_literal(a.attmissingval::text)),
        ' ' ORDER BY a.attnum
    ) AS described
    FROM pg_attribute a
    WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
) attributes ON true
GROUP BY given.root
