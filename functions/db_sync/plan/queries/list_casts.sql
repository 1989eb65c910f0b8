-- The casts that an assignment may use, and whether both types are stored alike.
SELECT
    format_type(castsource, NULL) AS source,
    format_type(casttarget, NULL) AS target,
    castmethod = 'b' AS is_binary
FROM pg_cast
WHERE castcontext IN ('i', 'a')
