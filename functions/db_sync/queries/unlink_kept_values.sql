-- Takes a kept, unique value from the rows in question where a new row brings that value.
UPDATE {in_table} SET {column} = {unlinked}
WHERE {column} IN (SELECT {column} FROM {changes} WHERE staging_sync_row IS NULL) AND {which}
