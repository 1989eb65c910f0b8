-- The rows that a merge inserts, or gives other values in the given columns, as a FROM item.
(
    SELECT {new} FROM {changed} n WHERE n.staging_sync_row IS NULL
    UNION ALL
    SELECT {new} FROM {changed} n
    JOIN {rows} t ON t.tableoid = n.staging_sync_table AND t.ctid = n.staging_sync_row
    WHERE {differs}
)
