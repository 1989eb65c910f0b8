-- The staged rows that the target lacks or has otherwise (compared as bytes: 1.0 is not 1.00), or
-- of which it has a stale generated column, each with the values that it is to have. And where the target's row is, NULL if it has none.
SELECT t.tableoid AS staging_sync_table, t.ctid AS staging_sync_row, {values}
FROM {stage} s
LEFT JOIN {candidates} t ON {same_key}
{generated}
WHERE t.ctid IS NULL OR {differs} OR {is_stale}
