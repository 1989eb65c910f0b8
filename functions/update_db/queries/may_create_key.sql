-- Whether our role may drop a foreign key and create it again: it must own the child, and may refer to
-- the parent's columns.
SELECT
    pg_has_role(child.relowner, 'USAGE') AS owns_child,
    (
        SELECT bool_and(has_column_privilege(parent.oid, name, 'REFERENCES'))
        FROM unnest(%(columns)s::text[]) AS columns (name)
    ) AS may_refer
FROM pg_class child
CROSS JOIN pg_class parent
WHERE child.oid = %(child)s::regclass AND parent.oid = %(parent)s::regclass
