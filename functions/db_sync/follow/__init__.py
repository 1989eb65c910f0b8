"""Columns that hold subs of staging's own, compared and written by the person that they mean."""
