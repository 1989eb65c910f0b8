"""Locking tables of the target without making others wait behind our request for long."""

from collections.abc import Callable
from dataclasses import dataclass

from psycopg2 import sql

from common.errors import OutOfTime, StagingSyncError, TargetBusy
from common.log import logger
from common.postgres.database import Session
from common.postgres.locking.deadlocks import is_deadlock, refuse_deadlock
from common.postgres.locking.holders import describe_locks, find_table_locks
from common.postgres.names import Name

# Modes: the first allows others to read, the second allows nothing. SHARE ROW EXCLUSIVE would allow
# SELECT … FOR UPDATE to lock rows: a session that does so, and then waits to update them, is in a
# deadlock with us as soon as we write them.
EXCLUSIVE = "EXCLUSIVE"
ACCESS_EXCLUSIVE = "ACCESS EXCLUSIVE"
# A waiting request blocks all later ones. And while it waits for one table it holds others: a
# session that waits for those may be ended, as a deadlock's victim, after deadlock_timeout (1 s by
# default). So an attempt, for all tables together, takes less than that.
ATTEMPT_LIMIT = 500  # milliseconds
# PostgreSQL cancels an autovacuum that we wait for only after deadlock_timeout: if nothing but
# maintenance holds conflicting locks, an attempt takes longer than that.
MAINTENANCE = "ShareUpdateExclusiveLock"  # the mode of VACUUM, ANALYZE and the like
LONG_ATTEMPT_LIMIT = 1500  # milliseconds
ADVICE = " Nothing was written. Let them finish or end them, then start again."


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is to be locked.

    `what` names it in a message; `readers`: whether the locks conflict with readers; `advice`: what
    to do if they are not granted.
    """

    what: str
    tables: list[Name]
    readers: bool
    advice: str = ""


def lock_tables(target: Session, tables: list[Name], mode: str) -> None:
    """Lock tables until the transaction ends.

    Args:
        target: a session in a transaction.
        tables: which; their partitions are locked with them.
        mode: `EXCLUSIVE` or `ACCESS_EXCLUSIVE`.

    Raises:
        TargetBusy: see `in_attempts`.
    """
    if not tables:
        return
    statement = sql.SQL("LOCK TABLE {} IN {} MODE").format(
        sql.SQL(", ").join(table.identifier for table in tables), sql.SQL(mode)
    )
    in_attempts(
        target,
        lambda: target.execute(statement),
        Wanted(
            what="The target's tables",
            tables=tables,
            readers=mode == ACCESS_EXCLUSIVE,
            advice=ADVICE,
        ),
        limit="statement_timeout",  # lock_timeout counts for each table anew
    )


def in_attempts(
    target: Session, act: Callable[[], object], wanted: Wanted, *, limit: str = "lock_timeout"
) -> None:
    """Run statements that take locks until the transaction ends, in short attempts.

    Args:
        target: a session in a transaction.
        act: runs them; an attempt in which a lock is not granted is rolled back.
        wanted: what is locked.
        limit: the setting that limits an attempt.

    Raises:
        TargetBusy: others still hold conflicting locks after `Waits.table_locks`, and are named; or
            they wait for locks of ours (`Deadlock`).
    """
    wait = target.waits.table_locks
    timeout = wait.start(target.seconds_left)
    attempt_limit = ATTEMPT_LIMIT
    while not _attempt(target, act, wanted, {limit: attempt_limit}):
        found = find_table_locks(target, wanted.tables, readers=wanted.readers)
        holders = describe_locks(found)
        if timeout.is_over:
            raise TargetBusy(
                f"{wanted.what} could not be locked within {wait.seconds:.0f} s; {holders}."
                f"{wanted.advice}"
            )
        logger.info("waiting for locks on the target", wanted=wanted.what, holders=holders)
        is_maintenance = {lock.mode for lock in found} == {MAINTENANCE}
        attempt_limit = LONG_ATTEMPT_LIMIT if is_maintenance else ATTEMPT_LIMIT
        timeout.pause()
    target.lift_limit()
    # Locks that later statements take are not waited for without end either.
    target.set_local(lock_timeout=int(wait.seconds * 1000))


def _attempt(
    target: Session, act: Callable[[], object], wanted: Wanted, limit: dict[str, int]
) -> bool:
    """Run statements that take locks; roll back and return False if these are not granted.

    Raises:
        StagingSyncError: it failed for another reason, a deadlock for example, and is rolled back.
    """
    refuse_deadlock(target, wanted.tables, readers=wanted.readers)
    try:
        with target.savepoint():
            target.set_local(**limit)
            act()
    except StagingSyncError as error:
        is_over = isinstance(error, OutOfTime) and "statement_timeout" in limit
        if is_deadlock(error) or not (is_over or isinstance(error, TargetBusy)):
            raise
        return False
    return True
