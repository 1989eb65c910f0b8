"""Event triggers of the target: statements of ours that change its schema do not set them off.

They could write into tables that are synced, after these were verified, or outside of the
transaction, in a dry run too; or refuse what we do.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from psycopg2 import sql

from common.errors import ConfigurationError
from common.postgres.database import Session
from common.postgres.queries import load_query
from common.postgres.settings.replication_role import ENABLE, define, may_act_as_replica

# Of every statement of ours that is run by `define`.
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
    """One that is on; its state is as pg_event_trigger has it."""

    name: str
    state: str
    is_ours: bool
    role: str  # ours


@contextmanager
def silenced(target: Session, *, are_harmless: bool, dry_run: bool) -> Iterator[list[str]]:
    """Let no event trigger act on statements of ours, for a with statement that yields warnings.

    Where the role may, they run as a replica's. What fires then too is switched off and on again,
    the latter not in a dry run, which is rolled back.

    Args:
        target: a session in a transaction.
        are_harmless: whether those that our role cannot silence may fire.
        dry_run: whether the transaction is to be rolled back.

    Raises:
        ConfigurationError: our role cannot silence them, and they may do harm.
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
    """Change the state of one; that itself sets no event trigger off."""
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
        f"Nothing was written. Event triggers of the target {target.address} would act on the"
        f" statements of a sync, and its role can neither silence nor disable them: {names}."
        ' If they do no harm, say so by the sync rule "event_triggers_ok": true. Or let the role'
        f" silence those that do not fire ALWAYS or for a REPLICA, from PostgreSQL 15 on: {grant}"
    )


def silence(target: Session) -> list[EventTrigger]:
    """Run our statements as a replica's where the role may; return those that fire all the same."""
    query = load_query("common/postgres/settings", "list_event_triggers")
    found = target.records(query, [TAGS], EventTrigger)
    target.silences_event_triggers = bool(found) and may_act_as_replica(target)
    firing = "RA" if target.silences_event_triggers else "OA"
    return [each for each in found if each.state in firing]


def warn_of_firing(firing: list[EventTrigger]) -> list[str]:
    """Return a warning of those that fire."""
    if not firing:
        return []
    return [f"Event triggers of the target act on our statements: {_named(firing)}."]


def _named(event_triggers: list[EventTrigger]) -> str:
    return ", ".join(each.name for each in event_triggers)
