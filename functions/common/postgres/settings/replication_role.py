"""`session_replication_role = replica`: triggers, rules and foreign keys do nothing meanwhile.

Nor do event triggers at statements of ours that change the schema. Not every role may set it:
https://www.postgresql.org/docs/current/runtime-config-client.html
"""

from psycopg2 import sql

from common.errors import ConfigurationError
from common.postgres.connection.statements import Query
from common.postgres.database import Session

REPLICA = "replica"
# How a trigger, rule or event trigger is brought back, by its state in the catalog.
ENABLE = {"O": "ENABLE", "R": "ENABLE REPLICA", "A": "ENABLE ALWAYS"}


def act_as_replica(session: Session) -> bool:
    """Set the role for the rest of the transaction; return whether ours may."""
    try:
        with session.savepoint():
            session.set_local(session_replication_role=REPLICA)
    except ConfigurationError:
        return False
    session.replication_role = REPLICA
    return True


def may_act_as_replica(session: Session) -> bool:
    """Return whether our role may set the role, and leave it as it is."""
    try:
        with session.savepoint(force_rollback=True):
            session.set_local(session_replication_role=REPLICA)
    except ConfigurationError:
        return False
    return True


def define(session: Session, query: Query) -> None:
    """Run a statement that changes the schema, silently where that was asked for."""
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
