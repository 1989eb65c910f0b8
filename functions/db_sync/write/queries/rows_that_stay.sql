-- The rows that keep their values of the given columns in a merge, as a FROM item; of these, those
-- that refer to certain parents. OFFSET 0, so that these few are found first: the planner does not
-- know how few they are, and would look at what becomes of every row.
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
