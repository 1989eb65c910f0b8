-- Enabled event triggers that fire at statements with the given command tags; whether our role may
-- disable each, and our role.
SELECT
    evtname AS name,
    evtenabled AS state,
    pg_has_role(evtowner, 'USAGE') AS is_ours,
    current_user AS role
FROM pg_event_trigger
WHERE evtenabled <> 'D'
  AND evtevent IN ('ddl_command_start', 'ddl_command_end', 'sql_drop')
  AND (evttags IS NULL OR evttags && %s)
ORDER BY evtname
