"""Locks of mere reading, given up every few tables: a server has room for so many of them.

A statement locks its tables and every index of theirs until the transaction ends; but what was
locked after a savepoint is let go where that is rolled back to. The snapshot stays, and so do the
locks from before. https://www.postgresql.org/docs/current/explicit-locking.html
"""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack

from common.postgres.database import Savepoint, Session

AT_ONCE = 20  # tables (or sequences); two round trips for so many


def letting_go[T](items: Iterable[T], *sessions: Session) -> Iterator[T]:
    """Iterate over what is read one by one, and let the locks on it go every few items.

    Settings that are made on the way go too. Nothing is rolled back where the body fails: the
    transactions are lost then.
    """
    with ExitStack() as stack:
        savepoints: list[Savepoint] = []
        for number, item in enumerate(items):
            if not savepoints:
                savepoints = [
                    stack.enter_context(session.savepoint(force_rollback=True))
                    for session in sessions
                ]
            elif number % AT_ONCE == 0:
                for savepoint in savepoints:
                    savepoint.roll_back()
            yield item
