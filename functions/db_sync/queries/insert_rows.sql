-- Rows that existed (or, with NOT, those that did not), with the given columns.
INSERT INTO {table} ({into}) OVERRIDING SYSTEM VALUE
SELECT {into} FROM {changes} WHERE {which} staging_sync_existed
