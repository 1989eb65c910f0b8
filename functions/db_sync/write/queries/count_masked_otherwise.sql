-- Of the rows that have something to lose and an email: how many have one that is not masked as by
-- the present rule and key, and how many there are.
SELECT count(*) FILTER (WHERE NOT {is_present}), count(*)
FROM {rows} t
WHERE ({keeps}) AND {email}::text <> ''
