"""A staging account on one machine: PostgreSQL, a local AWS, the deployed stack, sample data."""
