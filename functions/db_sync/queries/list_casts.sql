-- The casts that an assignment may use.
SELECT format_type(castsource, NULL), format_type(casttarget, NULL)
FROM pg_cast
WHERE castcontext IN ('i', 'a')
