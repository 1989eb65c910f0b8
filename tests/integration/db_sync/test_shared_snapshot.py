"""One moment of production, seen by sessions that import it long after it was taken."""
