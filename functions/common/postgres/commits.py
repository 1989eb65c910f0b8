"""Commits that take long: without end if the primary's synchronous standby is gone.

The transaction is durable on the primary by then, which only hides it from others until the standby
has it too. No timeout of ours ends that wait.
https://www.postgresql.org/docs/current/warm-standby.html#SYNCHRONOUS-REPLICATION
"""

from contextlib import suppress

from common.errors import StagingSyncError
from common.postgres.database import Session, connect
from common.postgres.queries import load_query
from common.postgres.waits import if_longer_than


def commit(session: Session) -> None:
    """Commit a session's transaction; if that takes long, report the reason once."""
    with if_longer_than(session.waits.commit_notice, lambda: _report_reason(session)):
        session.commit()


def _report_reason(session: Session) -> None:
    """Ask the server in another session why the commit takes long, and report that."""
    names: list[str] = []
    with (
        suppress(StagingSyncError),  # a server that does not answer either
        connect(session.address, session.role, execution="") as other,
        other.transaction(),
    ):
        query = load_query("common/postgres", "waits_for_standby")
        names = [name for (name,) in other.rows(query, [session.application_name])]
    for name in names:
        session.waits.report(
            session.role,
            f"The commit waits for a synchronous standby of the {session.role} database"
            f" {session.address}: synchronous_standby_names = '{name}'. The transaction is"
            " committed on the primary, and others see it when a standby has it too. Bring the"
            " standby back, or take it out of that setting and reload.",
        )
    if not names:
        session.waits.report(session.role, f"The commit of the {session.role} database takes long.")
