"""Locks on the target: who holds them, who waits, and for how many there is room."""
