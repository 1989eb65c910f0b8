-- synchronous_standby_names, if a session of this application name waits for a synchronous standby.
SELECT pg_catalog.current_setting('synchronous_standby_names')
FROM pg_catalog.pg_stat_activity
WHERE application_name = %s AND datname = pg_catalog.current_database() AND wait_event = 'SyncRep'
LIMIT 1
