"""Table locks on the target, asked for without making others queue behind us for long."""

import time

from psycopg2 import sql

from common.database import Session
from common.errors import TargetBusy
from common.log import logger
from common.names import Name
from common.queries import load_query

LOCK_WAIT = 30.0  # seconds, all attempts together
# Modes: the first lets readers go on, the second nobody.
SHARE_ROW_EXCLUSIVE = "SHARE ROW EXCLUSIVE"
ACCESS_EXCLUSIVE = "ACCESS EXCLUSIVE"
# A queued request blocks everybody who comes after it, so an attempt is short; but longer than
# the server's deadlock_timeout (1 s), after which an autovacuum in our way is cancelled.
ATTEMPT = "1500ms"


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
    give_up = time.monotonic() + LOCK_WAIT
    target.execute(sql.SQL("SET LOCAL lock_timeout = {}").format(sql.Literal(ATTEMPT)))
    while True:
        target.execute("SAVEPOINT locks")
        try:
            target.execute(statement)
            break
        except TargetBusy as error:
            target.execute("ROLLBACK TO SAVEPOINT locks")
            holders = _holders(target, tables, readers=mode == ACCESS_EXCLUSIVE)
            if time.monotonic() >= give_up:
                raise TargetBusy(
                    f"The target's tables could not be locked within {LOCK_WAIT:.0f} s; {holders}."
                    " Nothing was written. Let them finish or end them, then start again."
                ) from error
            logger.info("waiting for locks on the target's tables", holders=holders)
    target.execute("RELEASE SAVEPOINT locks")
    # What is locked later on (a sequence, say) is not waited for without end either.
    target.execute(sql.SQL("SET LOCAL lock_timeout = {}").format(sql.Literal(f"{LOCK_WAIT:.0f}s")))


def _holders(target: Session, tables: list[Name], *, readers: bool) -> str:
    """Say who holds locks on these tables; `readers`: whether theirs are in our way."""
    rows = target.rows(
        load_query("common", "list_lock_holders"),
        {"tables": [target.quoted(table.identifier) for table in tables], "readers": readers},
    )
    if not rows:
        return "whoever held them has let go meanwhile"
    return ", ".join(
        f"backend {pid} ({application or 'without application_name'}) holds {mode} on {table}"
        for pid, application, mode, table in rows
    )
