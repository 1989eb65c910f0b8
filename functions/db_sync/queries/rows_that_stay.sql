-- The rows that keep their values of the given columns in a merge, as a FROM item.
(
    SELECT {columns} FROM {rows} t
    WHERE NOT EXISTS (
        SELECT FROM {gone} g
        WHERE g.staging_sync_table = t.tableoid AND g.staging_sync_row = t.ctid
    ) AND NOT EXISTS (
        SELECT FROM {changes} n
        WHERE n.staging_sync_table = t.tableoid AND n.staging_sync_row = t.ctid AND {differs}
    )
)
