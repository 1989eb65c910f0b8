"""A deadlock with the application: the run releases its locks, so that the application goes on.

If another session waits for a lock of ours and holds one that we need, neither can go on. Waiting
does not help then, and PostgreSQL might end the other session's transaction as the deadlock's
victim. So we check for that before each attempt to lock; if it is found, the run's transaction is
rolled back, and the run starts once more.
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
    """A run and another session wait for each other; `twice_at_most` handles it."""


def refuse_deadlock(session: Session, tables: list[Name], *, readers: bool) -> None:
    """Raise an error if a session that holds locks on tables waits for us, or for one that does.

    Args:
        session: is about to lock the tables (or views, or sequences).
        tables: their names.
        readers: whether the locks conflict with readers.

    Raises:
        Deadlock: names who holds the locks.
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
    """Do a run; after a deadlock with the application, roll back and do it once more.

    Args:
        run: begins the sessions' transactions.
        sessions: are rolled back, which releases their locks.

    Raises:
        TargetBusy: the second time ended in a deadlock too.
    """
    try:
        return run()
    except TargetBusy as error:
        if not is_deadlock(error):
            raise
        logger.info("releasing locks because of a deadlock, and starting again", cause=str(error))
        for session in sessions:
            session.rollback()
    try:
        return run()
    except TargetBusy as error:
        if not is_deadlock(error):
            raise
        raise TargetBusy(
            f"The run ended twice because of a deadlock with the application. {error} Nothing was"
            " written. Start it again when the application is less busy."
        ) from error


def is_deadlock(error: BaseException | None) -> bool:
    """Return whether an error, or one of its causes, is a deadlock."""
    while error is not None:
        if isinstance(error, Deadlock) or is_deadlock_detected(error):
            return True
        error = error.__cause__
    return False
