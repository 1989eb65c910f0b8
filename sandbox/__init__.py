"""A staging account on one machine, and the command that starts a deployed workflow, here or there.

The account: PostgreSQL, a local AWS, the deployed stack, sample data.
"""
