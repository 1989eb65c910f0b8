"""Table locks on the target, asked for without making others queue behind us for long."""

from collections.abc import Callable
from dataclasses import dataclass

from psycopg2 import sql

from common.errors import OutOfTime, StagingSyncError, TargetBusy
from common.log import logger
from common.postgres.database import Session
from common.postgres.locking.deadlocks import is_deadlock, refuse_deadlock
from common.postgres.locking.holders import describe_locks, find_table_locks
from common.postgres.names import Name

# Modes: the first lets readers go on, the second nobody. Not SHARE ROW EXCLUSIVE, which lets
# SELECT … FOR UPDATE lock rows: who does that and then waits for us to update them is in a deadlock
# with us as soon as we write them.
EXCLUSIVE = "EXCLUSIVE"
ACCESS_EXCLUSIVE = "ACCESS EXCLUSIVE"
# A queued request blocks everybody who comes after it. And while it waits for one table it holds
# others: somebody who waits for those is ended as the victim of a deadlock after deadlock_timeout
# (1 s by default), so that an attempt, for all tables together, takes less than that.
ATTEMPT_LIMIT = 500  # milliseconds
# An autovacuum in our way is cancelled after deadlock_timeout, and not before: where nobody but
# maintenance holds locks, an attempt takes longer than that.
MAINTENANCE = "ShareUpdateExclusiveLock"  # the mode of VACUUM, ANALYZE and the like
LONG_ATTEMPT_LIMIT = 1500  # milliseconds
ADVICE = " Nothing was written. Let them finish or end them, then start again."


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What locks are wanted on.

    `what` names it in a message; `readers`: whether its readers are in the way; `advice`: what to
    do where they are not granted.
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
        mode: one of the modes above.

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
    """Do what takes locks until the transaction ends, in attempts that wait for them briefly.

    Args:
        target: a session in a transaction.
        act: what takes locks; undone where they are not granted, and done again.
        wanted: what they are on.
        limit: the setting that limits an attempt.

    Raises:
        TargetBusy: others still hold conflicting locks after `Waits.table_locks`; names them. Or
            they wait for locks of ours themselves.
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
    # What is locked later on is not waited for without end either.
    target.set_local(lock_timeout=int(wait.seconds * 1000))


def _attempt(
    target: Session, act: Callable[[], object], wanted: Wanted, limit: dict[str, int]
) -> bool:
    """Do what takes locks; return False where they were not granted, after undoing it.

    Raises:
        StagingSyncError: it failed otherwise, and is undone; a deadlock among others.
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
