-- The casts that an assignment may use, and whether the types are binary coercible.
SELECT
    format_type(castsource, NULL) AS source,
    format_type(casttarget, NULL) AS target,
    castmethod = 'b' AS is_binary
FROM pg_cast
WHERE castcontext IN ('i', 'a')
