-- Inserts rows that existed (IS NOT NULL) or new ones (IS NULL), with the given columns.
INSERT INTO {table} ({into}) OVERRIDING SYSTEM VALUE
SELECT {into} FROM {changed} c WHERE staging_sync_row {which}
