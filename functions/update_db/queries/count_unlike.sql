-- Rows that refer to a sub that moves, but write it in another way, with capital letters for example.
SELECT count(*)
FROM {children} AS c
JOIN {parents} AS p ON {refers}
JOIN staging_sync_moves m ON m.old = CAST(p.{parent} AS text) COLLATE "C"
WHERE m.new IS NOT NULL AND CAST(c.{child} AS text) COLLATE "C" <> m.old
