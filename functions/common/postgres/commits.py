"""Commits that may take long: of a primary whose synchronous standby is gone, without end.

The transaction is written and durable there by then; the primary only keeps it from others until
the standby has it too, and no limit of ours holds in that time.
https://www.postgresql.org/docs/current/warm-standby.html#SYNCHRONOUS-REPLICATION
"""

import threading
from contextlib import suppress

from common.errors import StagingSyncError
from common.postgres.connection.login import Waiting, log_waiting
from common.postgres.database import Session, connect
from common.postgres.queries import load_query

SAYS_SO_AFTER = 15.0  # seconds; to connect and to ask may take some more


def commit(session: Session, waiting: Waiting = log_waiting) -> None:
    """Commit a session's transaction.

    Args:
        session: in a transaction.
        waiting: called once if the commit takes long, with the reason.
    """
    slow = threading.Timer(SAYS_SO_AFTER, _say_why, [session, waiting])
    slow.daemon = True
    slow.start()
    try:
        session.commit()
    finally:
        slow.cancel()


def _say_why(session: Session, waiting: Waiting) -> None:
    """Ask the server in another session why the commit takes long, and say so."""
    names: list[str] = []
    with (
        suppress(StagingSyncError),  # a server that does not answer either
        connect(session.address, session.role, execution="") as other,
        other.transaction(),
    ):
        query = load_query("common/postgres", "waits_for_standby")
        names = [name for (name,) in other.rows(query, [session.application_name])]
    for name in names:
        waiting(
            session.role,
            f"The commit waits for a synchronous standby of the {session.role} database"
            f" {session.address}: synchronous_standby_names = '{name}'. The transaction is"
            " committed on the primary, and others see it when a standby has it too. Bring the"
            " standby back, or take it out of that setting and reload.",
        )
    if not names:
        waiting(session.role, f"The commit of the {session.role} database takes long.")
