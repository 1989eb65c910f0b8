-- In how many rows a table with a key differs from what it was: inserted, updated and deleted ones.
SELECT
    count(*) FILTER (WHERE old.identity IS NULL),
    count(*) FILTER (WHERE old.hash <> new.hash),
    count(*) FILTER (WHERE new.identity IS NULL)
FROM ({before}) old
FULL JOIN ({after}) new ON old.identity = new.identity
