"""`session_replication_role = replica`, which disables triggers, rules and foreign keys.

Event triggers do not fire at our statements either. Not every role may set it:
https://www.postgresql.org/docs/current/runtime-config-client.html
"""

from psycopg2 import sql

from common.errors import ConfigurationError
from common.postgres.connection.statements import Query
from common.postgres.database import Session

REPLICA = "replica"
# The words of ALTER that restore a trigger, rule or event trigger, by its state in the catalog.
ENABLE = {"O": "ENABLE", "R": "ENABLE REPLICA", "A": "ENABLE ALWAYS"}


def act_as_replica(session: Session) -> bool:
    """Set it for the rest of the transaction; return False if our role may not."""
    try:
        with session.savepoint():
            session.set_local(session_replication_role=REPLICA)
    except ConfigurationError:
        return False
    session.replication_role = REPLICA
    return True


def may_act_as_replica(session: Session) -> bool:
    """Return whether our role may set it, without setting it."""
    try:
        with session.savepoint(force_rollback=True):
            session.set_local(session_replication_role=REPLICA)
    except ConfigurationError:
        return False
    return True


def define(session: Session, query: Query) -> None:
    """Run a statement that changes the schema; as a replica's if `event_triggers` asks for that."""
    if not session.silences_event_triggers:
        session.execute(query)
        return
    session.execute(
        sql.SQL("{}; {}; {}").format(
            _set(REPLICA),
            sql.SQL(session.quoted(query)),
            _set(session.replication_role),
        )
    )


def _set(role: str) -> sql.Composable:
    return sql.SQL(f"SET LOCAL session_replication_role = {role}")
