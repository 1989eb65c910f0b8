"""Sets the subs of staging's users to those of staging's user pool, matched by email."""
