-- Every table that could be synced, with its key and what our role may do with it.
-- The key is the primary key, or else a unique index that identifies each row: on NOT NULL columns,
-- not partial, not deferrable. `key_equalities` has, for each key column, the schema of the index's
-- equality operator, which may be outside of the search path, and the index's collation if that is
-- not the column's.
-- Each privilege is asked for alone: has_table_privilege takes a list as "any of them".
WITH tables AS (
    SELECT c.oid, n.oid AS schema, n.nspname, c.relname, c.relkind, c.relowner, c.relpersistence
    FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p')
      AND NOT c.relispartition
      AND c.relpersistence <> 't'
      AND n.nspname <> 'information_schema'
      AND n.nspname !~ '^pg_'
      AND NOT EXISTS (
          SELECT FROM pg_depend d
          WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
      )
), keys AS (
    SELECT DISTINCT ON (i.indrelid)
        i.indrelid, i.indexrelid, i.indkey, i.indclass, i.indcollation, i.indnkeyatts
    FROM pg_index i
    JOIN tables ON tables.oid = i.indrelid
    WHERE i.indisunique AND i.indimmediate AND i.indisvalid
      AND i.indpred IS NULL AND i.indexprs IS NULL
      AND NOT EXISTS (
          SELECT FROM unnest(i.indkey::int2[]) WITH ORDINALITY k (attnum, position)
          JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
          WHERE k.position <= i.indnkeyatts AND NOT a.attnotnull
      )
    ORDER BY i.indrelid, NOT i.indisprimary, i.indexrelid
), key_columns AS (
    SELECT
        keys.indrelid,
        array_agg(a.attname::text ORDER BY k.position) AS names,
        json_agg(
            json_build_object(
                'operator_schema', operator_schema.nspname,
                'collation', CASE
                    WHEN k.collation_oid <> a.attcollation
                    THEN quote_ident(collation_schema.nspname) || '.' || quote_ident(l.collname)
                END
            )
            ORDER BY k.position
        ) AS equalities
    FROM keys
    CROSS JOIN unnest(keys.indkey::int2[], keys.indclass::oid[], keys.indcollation::oid[])
        WITH ORDINALITY k (attnum, opclass, collation_oid, position)
    JOIN pg_attribute a ON a.attrelid = keys.indrelid AND a.attnum = k.attnum
    JOIN pg_opclass c ON c.oid = k.opclass
    JOIN pg_amop o ON o.amopfamily = c.opcfamily AND o.amopstrategy = 3
        AND o.amoplefttype = c.opcintype AND o.amoprighttype = c.opcintype
    JOIN pg_operator op ON op.oid = o.amopopr
    JOIN pg_namespace operator_schema ON operator_schema.oid = op.oprnamespace
    LEFT JOIN pg_collation l ON l.oid = k.collation_oid
    LEFT JOIN pg_namespace collation_schema ON collation_schema.oid = l.collnamespace
    WHERE k.position <= keys.indnkeyatts
    GROUP BY keys.indrelid
)
SELECT
    tables.oid,
    tables.nspname AS schema,
    tables.relname AS name,
    tables.relkind = 'p' AS is_partitioned,
    EXISTS (
        SELECT FROM pg_partition_tree(tables.oid) part
        JOIN pg_class ON pg_class.oid = part.relid
        WHERE tables.relkind = 'p' AND pg_class.relkind = 'f'
    ) AS has_foreign_partition,
    tables.relpersistence = 'u' OR EXISTS (
        SELECT FROM pg_partition_tree(tables.oid) part
        JOIN pg_class ON pg_class.oid = part.relid
        WHERE tables.relkind = 'p' AND pg_class.relpersistence = 'u'
    ) AS is_unlogged,
    coalesce(key_columns.names, '{}') AS key,
    coalesce(key_columns.equalities, '[]') AS key_equalities,
    json_build_object(
        'may_use_schema', has_schema_privilege(tables.schema, 'USAGE'),
        'may_read', has_table_privilege(tables.oid, 'SELECT'),
        'may_write', has_table_privilege(tables.oid, 'INSERT')
            AND has_table_privilege(tables.oid, 'UPDATE')
            AND has_table_privilege(tables.oid, 'DELETE')
            AND has_table_privilege(tables.oid, 'TRUNCATE'),
        'is_owner', pg_has_role(tables.relowner, 'USAGE'),
        'has_policies', row_security_active(tables.oid),
        'policies_show_all', (
            -- A permissive policy shows every row, and so does each restrictive one. A policy may
            -- hide rows if its condition is anything but the word true.
            SELECT coalesce(bool_or(p.polpermissive AND shown.every_row), false)
                AND coalesce(bool_and(p.polpermissive OR shown.every_row), true)
            FROM pg_policy p
            CROSS JOIN LATERAL (
                SELECT coalesce(pg_get_expr(p.polqual, p.polrelid) = 'true', false) AS every_row
            ) shown
            WHERE p.polrelid = tables.oid
              AND p.polcmd IN ('r', '*')
              AND EXISTS (
                  SELECT FROM unnest(p.polroles) role
                  WHERE CASE WHEN role = 0 THEN true ELSE pg_has_role(role, 'USAGE') END
              )
        )
    ) AS rights,
    ARRAY(
        SELECT h.inhparent FROM pg_inherits h WHERE h.inhrelid = tables.oid ORDER BY h.inhseqno
    )::bigint[] AS parents
FROM tables
LEFT JOIN key_columns ON key_columns.indrelid = tables.oid
ORDER BY tables.nspname, tables.relname
