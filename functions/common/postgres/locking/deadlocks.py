"""A deadlock with the application: our run gives its locks up, so that the application goes on.

Where somebody waits for a lock of ours and holds one that we want, neither gets on. To ask and to
wait is no use then, and PostgreSQL might end the other one as the deadlock's victim. So it is
looked for before each attempt, and ends the run's transaction; the run is then tried once more.
"""

from collections.abc import Callable

from common.errors import TargetBusy
from common.log import logger
from common.postgres.database import Session
from common.postgres.errors import DEADLOCKED, is_deadlock_detected
from common.postgres.locking.holders import describe_locks, find_table_locks
from common.postgres.names import Name
from common.postgres.queries import load_query
from common.postgres.settings.function_names import catalog_rows


class Deadlock(TargetBusy):
    """A run and somebody else wait for each other; never leaves `twice_at_most`."""


def refuse_deadlock(session: Session, tables: list[Name], *, readers: bool) -> None:
    """Raise an error where who holds locks on tables waits for us, directly or through others.

    Args:
        session: which is about to ask for locks on the tables (or views, or sequences).
        tables: which.
        readers: whether their readers are in its way.

    Raises:
        Deadlock: with whoever holds locks.
    """
    query = load_query("common/postgres/locking", "list_who_waits_for_us")
    waiting = {pid for (pid,) in catalog_rows(session, query)}
    if not waiting:
        return
    found = [
        lock
        for lock in find_table_locks(session, tables, readers=readers)
        if lock.holder.pid in waiting
    ]
    if found:
        raise Deadlock(f"{DEADLOCKED}: {describe_locks(found)}.")


def twice_at_most[T](run: Callable[[], T], *sessions: Session) -> T:
    """Do a run, and once more where it met the application in a deadlock.

    Args:
        run: begins the sessions' transactions.
        sessions: those that are rolled back, which gives up their locks.

    Raises:
        TargetBusy: the second time was a deadlock too.
    """
    try:
        return run()
    except TargetBusy as error:
        if not is_deadlock(error):
            raise
        logger.info("giving up locks in a deadlock, and beginning anew", cause=str(error))
        for session in sessions:
            session.rollback()
    try:
        return run()
    except TargetBusy as error:
        if not is_deadlock(error):
            raise
        raise TargetBusy(
            f"Twice the run met the application in a deadlock, and gave way. {error} Nothing was"
            " written. Start it again when less is going on."
        ) from error


def is_deadlock(error: BaseException | None) -> bool:
    """Whether an error, or what it comes from, is a deadlock."""
    while error is not None:
        if isinstance(error, Deadlock) or is_deadlock_detected(error):
            return True
        error = error.__cause__
    return False
