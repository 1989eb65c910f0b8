"""Makes a target PostgreSQL database's rows equal to a source's, atomically and verified."""
