"""Columns that hold a user's sub, and so follow the sub column: which they are, and how."""
