"""Where a database is, and how a connection to it comes about."""
