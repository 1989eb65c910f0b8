-- CHECK constraints that must not be checked while rows are written, parents before children: those
-- that are NOT VALID, and those that call a function which may read a table that is written later.
-- They are those of the given tables and partitions, of tables that these inherit them from or pass
-- them on to, and of domains where they are NOT VALID. Objects of other roles are left out.
WITH RECURSIVE written AS (
    SELECT root.oid AS relid FROM unnest(%(tables)s::oid[]) root (oid)
    UNION
    SELECT part.relid FROM unnest(%(tables)s::oid[]) root (oid)
    CROSS JOIN pg_partition_tree(root.oid) part
), up AS (
    SELECT c.conrelid AS relid, c.conname
    FROM pg_constraint c
    JOIN written ON written.relid = c.conrelid
    WHERE c.contype = 'c'
      -- Only PostgreSQL 18 and later have this column.
      AND coalesce((to_jsonb(c) ->> 'conenforced')::boolean, true)
      AND (
          NOT c.convalidated
          OR EXISTS (
              SELECT FROM pg_depend d
              LEFT JOIN pg_operator o
                  ON d.refclassid = 'pg_operator'::regclass AND o.oid = d.refobjid
              JOIN pg_proc p ON p.oid = CASE
                  WHEN d.refclassid = 'pg_proc'::regclass THEN d.refobjid ELSE o.oprcode
              END
              JOIN pg_language l ON l.oid = p.prolang
              WHERE d.classid = 'pg_constraint'::regclass AND d.objid = c.oid
                AND l.lanname NOT IN ('internal', 'c')
          )
      )
    UNION
    SELECT h.inhparent, up.conname
    FROM up
    JOIN pg_inherits h ON h.inhrelid = up.relid
    JOIN pg_constraint c ON c.conrelid = h.inhparent AND c.conname = up.conname
        AND c.contype = 'c' AND NOT c.connoinherit
), down AS (
    SELECT up.relid AS top, up.relid, up.conname, 0 AS depth
    FROM up
    JOIN pg_constraint c ON c.conrelid = up.relid AND c.conname = up.conname AND c.coninhcount = 0
    UNION
    SELECT down.top, h.inhrelid, down.conname, down.depth + 1
    FROM down
    JOIN pg_constraint c ON c.conrelid = down.relid AND c.conname = down.conname
        AND NOT c.connoinherit
    JOIN pg_inherits h ON h.inhparent = down.relid
), members AS (
    SELECT down.relid, down.conname, max(down.depth) AS depth
    FROM down
    WHERE NOT EXISTS (
        SELECT FROM down other
        JOIN pg_class c ON c.oid = other.relid
        WHERE other.top = down.top AND other.conname = down.conname
          AND NOT pg_has_role(c.relowner, 'USAGE')
    )
    GROUP BY down.relid, down.conname
)
SELECT
    'TABLE' AS kind,
    n.nspname AS schema,
    t.relname AS name,
    c.conname AS constraint_name,
    c.conislocal AS is_local,
    pg_get_constraintdef(c.oid) || CASE WHEN c.convalidated THEN ' NOT VALID' ELSE '' END
        AS definition,
    c.convalidated AND NOT EXISTS (
        SELECT FROM pg_inherits h
        JOIN pg_constraint p ON p.conrelid = h.inhparent AND p.conname = c.conname
            AND p.contype = 'c' AND p.convalidated AND NOT p.connoinherit
        WHERE h.inhrelid = c.conrelid
    ) AS is_to_be_validated,
    obj_description(c.oid, 'pg_constraint') AS comment,
    members.depth
FROM members
JOIN pg_constraint c ON c.conrelid = members.relid AND c.conname = members.conname
JOIN pg_class t ON t.oid = members.relid
JOIN pg_namespace n ON n.oid = t.relnamespace
UNION ALL
SELECT
    'DOMAIN', n.nspname, t.typname, c.conname, true, pg_get_constraintdef(c.oid), false,
    obj_description(c.oid, 'pg_constraint'), 0
FROM pg_constraint c
JOIN pg_type t ON t.oid = c.contypid
JOIN pg_namespace n ON n.oid = t.typnamespace
WHERE c.contype = 'c' AND NOT c.convalidated AND pg_has_role(t.typowner, 'USAGE')
  AND n.nspname !~ '^pg_'
ORDER BY depth, kind, schema, name, constraint_name
