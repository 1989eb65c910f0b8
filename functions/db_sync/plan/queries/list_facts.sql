-- What is true of the database as a whole, and of our role.
-- `extension_tables` are those to which users may add rows, as JSON.
SELECT
    current_database() AS database,
    current_user AS role,
    has_database_privilege(current_database(), 'TEMPORARY') AS may_create_temporary,
    pg_is_in_recovery() AS is_standby,
    (SELECT count(*) FROM pg_largeobject_metadata) AS large_objects,
    (
        SELECT coalesce(json_agg(json_build_object(
            'schema', n.nspname,
            'name', c.relname,
            'extension', x.extname,
            'condition', config.condition,
            'may_read', has_schema_privilege(n.oid, 'USAGE')
                AND has_table_privilege(c.oid, 'SELECT')
                AND NOT row_security_active(c.oid)
        )), '[]')
        FROM pg_extension x
        CROSS JOIN unnest(x.extconfig, x.extcondition) config (relid, condition)
        JOIN pg_class c ON c.oid = config.relid
        JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind <> 'S'
    ) AS extension_tables
