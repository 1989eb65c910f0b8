-- The rows that keep their values of the given columns in a merge and refer to certain parents, as
-- a FROM item. OFFSET 0 makes the planner find these few first: it does not know how few they are,
-- and would otherwise look up every row in the changes.
(
    SELECT {columns} FROM (
        SELECT c.tableoid AS staging_sync_table, c.ctid AS staging_sync_row, c.*
        FROM {rows} c
        WHERE {referring}
        OFFSET 0
    ) t
    WHERE NOT EXISTS (
        SELECT FROM {gone} g
        WHERE g.staging_sync_table = t.staging_sync_table AND g.staging_sync_row = t.staging_sync_row
    ) AND NOT EXISTS (
        SELECT FROM {changed} n
        WHERE n.staging_sync_table = t.staging_sync_table
          AND n.staging_sync_row = t.staging_sync_row AND {differs}
    )
)
