"""PostgreSQL: sessions, their settings and locks, and the driver's errors named as ours."""
