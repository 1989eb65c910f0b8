"""What tells whether anything was committed on a server since."""

from common.postgres.database import Session


def read_snapshot(session: Session) -> str:
    """Return the snapshot of this statement, or of the transaction in REPEATABLE READ, as text.

    It is the same text only if no transaction that has an id has ended meanwhile, and without one
    neither rows nor the catalog can change. On a standby the text does not list the transactions
    that are active, so that this is not known: the snapshot is empty.
    https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-INFO-SNAPSHOT
    """
    (snapshot,) = session.row(
        "SELECT CASE WHEN pg_is_in_recovery() THEN '' ELSE pg_current_snapshot()::text END"
    )
    return str(snapshot)
