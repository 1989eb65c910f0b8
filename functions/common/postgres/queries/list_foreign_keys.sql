-- Every foreign key, once: partitions' copies of their root's are left out. Its pairs of columns are
-- JSON, each with how PostgreSQL compares the parent's value with the child's (operator, types, the
-- parent's collation), and with a "meaning" that is equal for two keys that mean the same. That has no
-- schema of a type or operator that may be another on the other side: an extension's, for example.
SELECT
    f.conname AS name,
    child_schema.nspname AS child_schema,
    child.relname AS child_name,
    child.relkind = 'p' AS child_is_partitioned,
    coalesce(pg_partition_root(f.conrelid)::oid, f.conrelid) AS child_root,
    parent_schema.nspname AS parent_schema,
    parent.relname AS parent_name,
    parent.relkind = 'p' AS parent_is_partitioned,
    coalesce(pg_partition_root(f.confrelid)::oid, f.confrelid) AS parent_root,
    (
        SELECT json_agg(
            json_build_object(
                'child', c.attname,
                'parent', p.attname,
                'operator', quote_ident(operator_schema.nspname) || '.' || o.oprname,
                -- A polymorphic operator takes the column's own type.
                'child_type', CASE
                    WHEN c.atttypid <> o.oprright AND right_type.typtype <> 'p'
                    THEN format_type(o.oprright, -1)
                END,
                'parent_type', CASE
                    WHEN p.atttypid <> o.oprleft AND left_type.typtype <> 'p'
                    THEN format_type(o.oprleft, -1)
                END,
                'collation', CASE
                    WHEN p.attcollation <> c.attcollation AND p.attcollation <> 0
                    THEN quote_ident(collation_schema.nspname) || '.' || quote_ident(l.collname)
                END,
                'meaning', json_build_array(
                    types.meaning,
                    coalesce(operator_extension.extname, operator_schema.nspname),
                    o.oprname,
                    to_jsonb(l) - '{oid,collnamespace,collowner,collversion}'::text[]
                )::text
            )
            ORDER BY k.position
        )
        FROM unnest(f.conkey, f.confkey, f.conpfeqop)
            WITH ORDINALITY k (child, parent, operator, position)
        JOIN pg_attribute c ON c.attrelid = f.conrelid AND c.attnum = k.child
        JOIN pg_attribute p ON p.attrelid = f.confrelid AND p.attnum = k.parent
        JOIN pg_operator o ON o.oid = k.operator
        JOIN pg_namespace operator_schema ON operator_schema.oid = o.oprnamespace
        JOIN pg_type left_type ON left_type.oid = o.oprleft
        JOIN pg_type right_type ON right_type.oid = o.oprright
        LEFT JOIN pg_depend operator_member ON operator_member.classid = 'pg_operator'::regclass
            AND operator_member.objid = o.oid AND operator_member.deptype = 'e'
        LEFT JOIN pg_extension operator_extension
            ON operator_extension.oid = operator_member.refobjid
        CROSS JOIN LATERAL (
            SELECT json_agg(
                CASE
                    WHEN e.oid IS NULL AND core.typtype IN ('b', 'p') THEN format_type(t.oid, -1)
                    ELSE concat_ws(' ', e.extname, core.typtype, core.typname, t.typcategory)
                END
                ORDER BY of.position
            ) AS meaning
            FROM unnest(ARRAY[c.atttypid, p.atttypid, o.oprleft, o.oprright])
                WITH ORDINALITY of (type, position)
            JOIN pg_type t ON t.oid = of.type
            -- For an array, the type of its elements.
            JOIN pg_type core
                ON core.oid = CASE WHEN t.typcategory = 'A' AND t.typelem <> 0
                    THEN t.typelem ELSE t.oid END
            LEFT JOIN pg_depend d ON d.classid = 'pg_type'::regclass AND d.objid = core.oid
                AND d.deptype = 'e'
            LEFT JOIN pg_extension e ON e.oid = d.refobjid
        ) types
        LEFT JOIN pg_collation l ON l.oid = p.attcollation
        LEFT JOIN pg_namespace collation_schema ON collation_schema.oid = l.collnamespace
    ) AS pairs,
    f.confmatchtype AS match,
    f.confdeltype AS on_delete,
    f.confupdtype AS on_update,
    f.convalidated AS is_valid,
    -- Columns of PostgreSQL 18 and later.
    coalesce((to_jsonb(f) ->> 'conenforced')::boolean, true) AS is_enforced,
    coalesce((to_jsonb(f) ->> 'conperiod')::boolean, false) AS is_period,
    pg_get_constraintdef(f.oid) AS definition,
    obj_description(f.oid, 'pg_constraint') AS comment
FROM pg_constraint f
JOIN pg_class child ON child.oid = f.conrelid
JOIN pg_namespace child_schema ON child_schema.oid = child.relnamespace
JOIN pg_class parent ON parent.oid = f.confrelid
JOIN pg_namespace parent_schema ON parent_schema.oid = parent.relnamespace
WHERE f.contype = 'f' AND f.conparentid = 0
ORDER BY child_schema.nspname, child.relname, f.conname
