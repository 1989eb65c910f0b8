"""Table locks on the target, asked for without making others queue behind us for long."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from psycopg2 import sql

from common.database import Session
from common.errors import OutOfTime, TargetBusy
from common.lock_holders import find_table_locks, told
from common.log import logger
from common.names import Name

LOCK_WAIT = 30.0  # seconds, all attempts together
# Modes: the first lets readers go on, the second nobody. Not SHARE ROW EXCLUSIVE, which lets
# SELECT … FOR UPDATE lock rows: who does that and then waits for us to update them is in a deadlock
# with us as soon as we write them.
EXCLUSIVE = "EXCLUSIVE"
ACCESS_EXCLUSIVE = "ACCESS EXCLUSIVE"
# A queued request blocks everybody who comes after it. And while it waits for one table it holds
# others: somebody who waits for those is ended as the victim of a deadlock after deadlock_timeout
# (1 s by default), so that an attempt, for all tables together, takes less than that.
ATTEMPT = 500  # milliseconds
PAUSE = 0.3  # seconds between two attempts
# An autovacuum in our way is cancelled after deadlock_timeout, and not before: where nobody but
# maintenance holds locks, an attempt takes longer than that.
MAINTENANCE = "ShareUpdateExclusiveLock"  # the mode of VACUUM, ANALYZE and the like
LONG_ATTEMPT = 1500  # milliseconds


def lock_tables(target: Session, tables: list[Name], mode: str) -> None:
    """Lock tables until the transaction ends.

    Args:
        target: a session in a transaction.
        tables: which; their partitions are locked with them.
        mode: one of the modes above.

    Raises:
        TargetBusy: others hold conflicting locks still after `LOCK_WAIT`; names them.
    """
    if not tables:
        return
    statement = sql.SQL("LOCK TABLE {} IN {} MODE").format(
        sql.SQL(", ").join(table.identifier for table in tables), sql.SQL(mode)
    )
    give_up = time.monotonic() + min(LOCK_WAIT, target.seconds_left)
    attempt = ATTEMPT
    while True:
        target.execute("SAVEPOINT locks")
        target.set_local(statement_timeout=attempt)  # lock_timeout counts for each table anew
        try:
            target.execute(statement)
            break
        except (TargetBusy, OutOfTime) as error:
            target.execute("ROLLBACK TO SAVEPOINT locks")  # the limit too
            found = find_table_locks(target, tables, readers=mode == ACCESS_EXCLUSIVE)
            if time.monotonic() >= give_up:
                raise TargetBusy(
                    f"The target's tables could not be locked within {LOCK_WAIT:.0f} s;"
                    f" {told(found)}. Nothing was written. Let them finish or end them, then"
                    " start again."
                ) from error
            logger.info("waiting for locks on the target's tables", holders=told(found))
            is_maintenance = {lock.mode for lock in found} == {MAINTENANCE}
            attempt = LONG_ATTEMPT if is_maintenance else ATTEMPT
            time.sleep(PAUSE)
    target.execute("RELEASE SAVEPOINT locks")
    target.lift_limit()
    # What is locked later on (a sequence, say) is not waited for without end either.
    target.set_local(lock_timeout=int(LOCK_WAIT * 1000))


@contextmanager
def short_waits(target: Session) -> Iterator[None]:
    """Let statements wait for each lock as long as one attempt takes, for a with statement.

    For what LOCK TABLE cannot lock. In a savepoint, whose rollback sets the limit back where a
    statement fails.

    Raises:
        TargetBusy: a lock was not granted.
    """
    target.set_local(lock_timeout=ATTEMPT)
    yield
    target.set_local(lock_timeout=int(LOCK_WAIT * 1000))
