-- The report: one line per user, what happened and why.
COPY (
    SELECT email, status, old_sub, new_sub, reason
    FROM staging_sync_decisions
    ORDER BY status, email, old_sub
) TO STDOUT (FORMAT csv, HEADER)
