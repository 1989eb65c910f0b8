-- Removes a kept, unique value from the given rows where another row brings that value.
UPDATE {in_table} SET {column} = {unlinked}
WHERE ({is_brought}) AND {which}
