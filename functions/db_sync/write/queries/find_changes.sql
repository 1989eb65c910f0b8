-- The places of the staged rows that are missing or different in the target (compared as bytes: 1.0
-- is not 1.00), or that have a stale generated column there; with the place of the target's row,
-- NULL if there is none. Only values that the stage lacks are repeated here: with all of them, a
-- wide table would have more columns, and a row more bytes, than PostgreSQL allows.
SELECT
    t.tableoid AS staging_sync_table, t.ctid AS staging_sync_row, s.ctid AS staging_sync_staged,
    {values}
FROM {stage} s
LEFT JOIN {candidates} t ON {same_key}
{generated}
WHERE t.ctid IS NULL OR {differs} OR {is_stale}
