-- Whether an existing row gets another value in one of some columns, generated ones included.
SELECT EXISTS (
    SELECT FROM {changed} c
    JOIN {rows} t ON t.tableoid = c.staging_sync_table AND t.ctid = c.staging_sync_row
    WHERE {differs} OR {is_stale}
)
