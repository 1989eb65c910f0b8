-- The report: one line per user, with what happened and why; unchanged users come last. After them, one
-- line per column that follows.
COPY (
    (
        SELECT email, status, old_sub, new_sub, reason
        FROM staging_sync_decisions
        WHERE status <> 'unchanged'
        ORDER BY status, email, old_sub
    )
    UNION ALL
    SELECT email, status, old_sub, new_sub, reason
    FROM staging_sync_decisions
    WHERE status = 'unchanged'
    UNION ALL
    SELECT NULL, 'follower', NULL, NULL, reason
    FROM unnest({followers}::text[]) AS followers (reason)
) TO STDOUT (FORMAT csv, HEADER, ENCODING {encoding})
