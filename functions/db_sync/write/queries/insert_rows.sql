-- Rows that existed (IS NOT NULL), or those that did not (IS NULL), with the given columns.
INSERT INTO {table} ({into}) OVERRIDING SYSTEM VALUE
SELECT {into} FROM {changed} c WHERE staging_sync_row {which}
