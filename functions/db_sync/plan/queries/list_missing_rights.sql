-- Tables and partitions on which our role lacks a right that a sync may need.
-- Those at either end of a foreign key must be read, locked and referred to; those with triggers or
-- rules must be altered by their owner. `states` are those of the triggers and rules, as in
-- pg_trigger.tgenabled; empty if our role is the owner.
WITH sides AS (
    SELECT conrelid AS oid FROM pg_constraint WHERE contype = 'f' AND conparentid = 0
    UNION
    SELECT confrelid FROM pg_constraint WHERE contype = 'f' AND conparentid = 0
), actors AS (
    SELECT oid, array_agg(state) AS states
    FROM (
        SELECT tgrelid, tgenabled FROM pg_trigger WHERE NOT tgisinternal
        UNION
        SELECT ev_class, ev_enabled FROM pg_rewrite WHERE rulename <> '_RETURN'
    ) actor (oid, state)
    GROUP BY oid
), asked AS (
    SELECT
        c.oid,
        c.relnamespace,
        c.relname,
        c.relispartition,
        sides.oid IS NULL OR has_table_privilege(c.oid, 'SELECT') AND NOT row_security_active(c.oid)
            AS may_read,
        -- A lock against writers requires one of these.
        sides.oid IS NULL OR has_table_privilege(c.oid, 'UPDATE, DELETE, TRUNCATE')
            AND has_table_privilege(c.oid, 'REFERENCES') AS may_lock,
        CASE WHEN pg_has_role(c.relowner, 'USAGE') THEN '{}' ELSE coalesce(actors.states, '{}') END
            AS states
    FROM pg_class c
    LEFT JOIN sides ON sides.oid = c.oid
    LEFT JOIN actors ON actors.oid = c.oid
    WHERE c.relkind IN ('r', 'p') AND (sides.oid IS NOT NULL OR actors.oid IS NOT NULL)
)
SELECT
    n.nspname AS schema,
    asked.relname AS name,
    coalesce(pg_partition_root(asked.oid)::oid, asked.oid) AS root,
    asked.relispartition AS is_partition,
    asked.may_read,
    asked.may_lock,
    asked.states::text[] AS states
FROM asked
JOIN pg_namespace n ON n.oid = asked.relnamespace
WHERE NOT (asked.may_read AND asked.may_lock) OR asked.states <> '{}'
