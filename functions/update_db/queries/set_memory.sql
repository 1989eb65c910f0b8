-- work_mem for this transaction: enough to sort and join some hundred thousand users, or more if the
-- server already grants more.
SELECT
    set_config(
        'work_mem',
        greatest(pg_size_bytes(current_setting('work_mem')), 64 * 1024 * 1024) / 1024 || 'kB',
        true
    )
