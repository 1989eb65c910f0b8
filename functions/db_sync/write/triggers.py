"""Triggers and rules of the target, which must not act on our writes.

They are disabled while rows are written and have their former state at the end of the transaction.
Where the role may set it, `session_replication_role = replica` does that without a lock that
readers would wait for.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from psycopg2 import sql

from common.postgres.database import Session
from common.postgres.names import Name
from common.postgres.queries import load_query
from common.postgres.settings.function_names import catalog_records, catalog_rows
from common.postgres.settings.replication_role import ENABLE, act_as_replica, define
from db_sync.plan.tables import TablePlan


class Trigger(NamedTuple):
    """A trigger or a rule that would fire on a write; its state as pg_trigger has it."""

    kind: str  # TRIGGER or RULE
    schema: str
    table_name: str
    name: str
    state: str

    @property
    def locks_out_readers(self) -> bool:
        """Whether disabling it takes a lock that conflicts with readers."""
        return self.kind == "RULE"

    @property
    def on(self) -> Name:
        """The table that it is on."""
        return Name(self.schema, self.table_name)


def act_as_replica_for(target: Session, plans: list[TablePlan]) -> bool:
    """Set `session_replication_role` for the transaction; return whether that was done.

    Not where the role may not, nor where one of the tables has a deferrable unique or exclusion
    constraint: a trigger checks those, and it would not fire either.
    """
    ((deferrable,),) = catalog_rows(
        target, load_query("db_sync/write", "has_deferrable"), [[plan.target.oid for plan in plans]]
    )
    if deferrable:
        return False
    return act_as_replica(target)


def find_triggers(target: Session, plans: list[TablePlan]) -> list[Trigger]:
    """Return what would fire on a write to these tables, with the replication role that is set."""
    query = load_query("db_sync/write", "list_triggers_and_rules")
    tables = [plan.target.oid for plan in plans]
    return catalog_records(target, query, {"tables": tables}, Trigger)


@contextmanager
def disabled(target: Session, found: list[Trigger]) -> Iterator[None]:
    """Disable triggers and rules for a with statement, and restore each state exactly.

    Nothing is restored if the body fails: the transaction is rolled back then, and this with it.
    """

    def alter(action: Callable[[str], str]) -> None:
        for trigger in found:
            define(
                target,
                sql.SQL("ALTER TABLE ONLY {} {} {} {}").format(
                    trigger.on.identifier,
                    sql.SQL(action(trigger.state)),
                    sql.SQL(trigger.kind),
                    sql.Identifier(trigger.name),
                ),
            )

    alter(lambda _: "DISABLE")
    yield
    alter(lambda state: ENABLE[state])
