"""A point of a transaction that can be rolled back to; see `Session.savepoint`.

https://www.postgresql.org/docs/current/sql-savepoint.html
"""

from collections.abc import Callable


class Savepoint:
    """A savepoint, which can be rolled back to as often as needed."""

    SET = "SAVEPOINT staging_sync"  # the latest of that name counts
    ROLL_BACK = "ROLLBACK TO SAVEPOINT staging_sync"
    RELEASE = "RELEASE SAVEPOINT staging_sync"
    END = f"{ROLL_BACK}; {RELEASE}"

    def __init__(self, execute: Callable[[str], object]) -> None:
        """Set it, by a function that runs a statement in the transaction."""
        self._execute = execute
        execute(self.SET)

    def roll_back(self) -> None:
        """Undo what was done since, settings included, and release the locks taken since.

        The transaction keeps its snapshot.
        """
        self._execute(self.ROLL_BACK)

    def release(self) -> None:
        """End it; what was done since stays."""
        self._execute(self.RELEASE)

    def undo(self) -> None:
        """Roll back to it and end it, in one round trip."""
        self._execute(self.END)
