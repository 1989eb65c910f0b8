-- For this transaction: room to sort and to join some hundred thousand users, unless the server
-- gives more anyway.
SELECT
    set_config(
        'work_mem',
        greatest(pg_size_bytes(current_setting('work_mem')), 64 * 1024 * 1024) / 1024 || 'kB',
        true
    )
