-- Rows that existed (IS NOT NULL), or those that did not (IS NULL), with the given columns.
INSERT INTO {table} ({into}) OVERRIDING SYSTEM VALUE
SELECT {into} FROM {changes} WHERE staging_sync_row {which}
