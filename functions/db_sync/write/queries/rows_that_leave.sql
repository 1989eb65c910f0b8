-- The rows that a merge deletes or gives other values in the given columns, as a FROM item.
(
    SELECT {columns} FROM {gone} g
    JOIN {rows} t ON t.tableoid = g.staging_sync_table AND t.ctid = g.staging_sync_row
    UNION ALL
    SELECT {columns} FROM {changed} n
    JOIN {rows} t ON t.tableoid = n.staging_sync_table AND t.ctid = n.staging_sync_row
    WHERE {differs}
)
