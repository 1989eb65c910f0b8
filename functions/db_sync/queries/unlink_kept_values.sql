-- Takes a kept, unique value from the rows in question where a new row brings that value.
UPDATE {in_table} SET {column} = {unlinked}
WHERE ({key}) IN (SELECT {key_of_new} FROM {changes} c WHERE c.staging_sync_row IS NULL)
  AND {which}
