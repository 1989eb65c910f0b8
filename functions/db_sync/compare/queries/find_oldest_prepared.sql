-- The prepared transaction of an id, if it was prepared long ago; its gid may contain anything.
SELECT owner::text, to_char(prepared, 'YYYY-MM-DD HH24:MI')
FROM pg_prepared_xacts
WHERE transaction = %s::xid AND prepared < now() - %s::interval
