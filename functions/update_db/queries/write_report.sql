-- The report: one line per user, with what happened and why; unchanged users come last.
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
) TO STDOUT (FORMAT csv, HEADER, ENCODING {encoding})
