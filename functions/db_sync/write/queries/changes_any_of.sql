-- Whether a row that is there already is to have another value in one of some columns, a generated
-- one included.
SELECT EXISTS (
    SELECT FROM {changed} c
    JOIN {rows} t ON t.tableoid = c.staging_sync_table AND t.ctid = c.staging_sync_row
    WHERE {differs} OR {is_stale}
)
