"""Locks of statements that only read are released every few tables: a server has room for so many.

A statement locks its tables and all their indexes until the transaction ends. Rolling back to a
savepoint releases the locks that were taken after it; the snapshot stays, and so do earlier locks.
https://www.postgresql.org/docs/current/explicit-locking.html
"""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack

from common.postgres.database import Session
from common.postgres.savepoint import Savepoint

AT_ONCE = 20  # tables (or sequences) for two round trips


def letting_go[T](items: Iterable[T], *sessions: Session, at_once: int = AT_ONCE) -> Iterator[T]:
    """Iterate over items that are read one by one, and release the locks on them every few items.

    Settings made in between are undone too. Nothing is rolled back if the body fails: the whole
    transactions are then.

    Args:
        items: the items.
        sessions: that read them.
        at_once: how many items that are.
    """
    with ExitStack() as stack:
        savepoints: list[Savepoint] = []
        for number, item in enumerate(items):
            if not savepoints:
                savepoints = [
                    stack.enter_context(session.savepoint(force_rollback=True))
                    for session in sessions
                ]
            elif number % at_once == 0:
                for savepoint in savepoints:
                    savepoint.roll_back()
            yield item
