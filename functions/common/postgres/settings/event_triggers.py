"""Event triggers of the target, which must not fire at our statements that change its schema.

They could write to synced tables after these were verified, or act outside of the transaction, even
in a dry run, or refuse our statements.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from psycopg2 import sql

from common.errors import ConfigurationError
from common.postgres.database import Session
from common.postgres.queries import load_query
from common.postgres.settings.replication_role import ENABLE, define, may_act_as_replica
from common.reports.notices import Notice

# The command tags of all statements that `define` runs.
TAGS = [
    "ALTER DOMAIN",
    "ALTER SEQUENCE",
    "ALTER TABLE",
    "COMMENT",
    "CREATE INDEX",
    "CREATE TABLE",
    "CREATE TABLE AS",
    "DROP INDEX",
    "DROP TABLE",
    "REFRESH MATERIALIZED VIEW",
]


class EventTrigger(NamedTuple):
    """An event trigger that is enabled; its state is as in pg_event_trigger."""

    name: str
    state: str
    is_ours: bool  # our role may disable it
    role: str  # our role's name


@contextmanager
def silenced(target: Session, *, are_harmless: bool, dry_run: bool) -> Iterator[list[Notice]]:
    """Keep event triggers from firing at our statements during a with statement; yield notices.

    If our role may set it, these run with session_replication_role = replica. Event triggers that
    fire even then are disabled, and enabled again at the end, except in a dry run, which is rolled
    back.

    Args:
        target: a session in a transaction.
        are_harmless: whether those that our role cannot disable may fire.
        dry_run: whether the transaction will be rolled back.

    Raises:
        ConfigurationError: our role cannot disable one, and it may do harm.
    """
    found = silence(target)
    others = [each for each in found if not each.is_ours]
    if others and not are_harmless:
        raise _refusal(target, others)
    ours = [each for each in found if each.is_ours]
    for each in ours:
        _alter(target, each, "DISABLE")
    yield warn_of_firing(others)
    if not dry_run:
        for each in ours:
            _alter(target, each, ENABLE[each.state])


def _alter(target: Session, event_trigger: EventTrigger, state: str) -> None:
    """Change the state of an event trigger, at which no event trigger fires."""
    define(
        target,
        sql.SQL("ALTER EVENT TRIGGER {} {}").format(
            sql.Identifier(event_trigger.name), sql.SQL(state)
        ),
    )


def _refusal(target: Session, others: list[EventTrigger]) -> ConfigurationError:
    names, role = _named(others), sql.Identifier(others[0].role)
    grant = target.quoted(
        sql.SQL("GRANT SET ON PARAMETER session_replication_role TO {};").format(role)
    )
    return ConfigurationError(
        f"Nothing was written. Event triggers of the target {target.address} would fire at the"
        f" statements of a sync, and its role can neither avoid that nor disable them: {names}."
        ' If they do no harm, say so with the sync rule "event_triggers_ok": true. Or allow the'
        " role to avoid those that are not ENABLE ALWAYS or ENABLE REPLICA, from PostgreSQL 15 on:"
        f" {grant}"
    )


def silence(target: Session) -> list[EventTrigger]:
    """Run our statements as a replica's if the role may; return those that fire even then."""
    query = load_query("common/postgres/settings", "list_event_triggers")
    found = target.records(query, [TAGS], EventTrigger)
    target.silences_event_triggers = bool(found) and may_act_as_replica(target)
    firing = "RA" if target.silences_event_triggers else "OA"
    return [each for each in found if each.state in firing]


def warn_of_firing(firing: list[EventTrigger]) -> list[Notice]:
    """Return a notice about event triggers that fire, if there are any."""
    if not firing:
        return []
    return [Notice(f"Event triggers of the target fire at our statements: {_named(firing)}.")]


def _named(event_triggers: list[EventTrigger]) -> str:
    return ", ".join(each.name for each in event_triggers)
