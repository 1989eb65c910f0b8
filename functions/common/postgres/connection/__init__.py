"""Connections: where a database is, logging in, and running statements."""
