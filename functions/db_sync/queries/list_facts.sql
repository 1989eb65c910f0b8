-- The database, who we are, whether we may create temporary tables, whether this is a standby, and how many
-- large objects there are.
SELECT
    current_database(),
    current_user,
    has_database_privilege(current_database(), 'TEMPORARY') AS may_create_temporary,
    pg_is_in_recovery() AS is_standby,
    (SELECT count(*) FROM pg_largeobject_metadata) AS large_objects
