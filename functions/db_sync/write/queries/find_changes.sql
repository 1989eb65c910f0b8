-- Where the staged rows are that the target lacks or has otherwise (compared as bytes: 1.0 is not
-- 1.00), or of which it has a stale generated column; and where the target's row is, NULL if it has
-- none. With the values that are not the stage's; not with those, since a table may have no more
-- columns than that, nor a row more bytes.
SELECT
    t.tableoid AS staging_sync_table, t.ctid AS staging_sync_row, s.ctid AS staging_sync_staged,
    {values}
FROM {stage} s
LEFT JOIN {candidates} t ON {same_key}
{generated}
WHERE t.ctid IS NULL OR {differs} OR {is_stale}
