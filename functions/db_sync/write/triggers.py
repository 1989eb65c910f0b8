"""What of the target's schema would act on our writes: triggers and rules.

They are put to sleep for the transaction and are as before at its end. Where the role may set
it, `session_replication_role = replica` does that without a lock on any reader.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from psycopg2 import sql

from common.postgres.database import Session
from common.postgres.names import Name
from common.postgres.queries import load_query
from common.postgres.settings.function_names import catalog_rows
from common.postgres.settings.replication_role import ENABLE, act_as_replica, define
from db_sync.plan.tables import TablePlan


class Guard(NamedTuple):
    """A trigger or a rule that would act on a write; its state as pg_trigger has it."""

    kind: str  # TRIGGER or RULE
    schema: str
    table: str
    name: str
    state: str

    @property
    def locks_out_readers(self) -> bool:
        """Whether to switch it off takes a lock that no reader has beside it."""
        return self.kind == "RULE"

    @property
    def on(self) -> Name:
        """The table that it is on."""
        return Name(self.schema, self.table)


def sleep_as_replica(target: Session, plans: list[TablePlan]) -> bool:
    """Set `session_replication_role` for the transaction; return whether that was done.

    Not where the role may not, nor where one of the tables has a deferrable unique or exclusion
    constraint: a trigger checks those, and it would sleep too.
    """
    ((deferrable,),) = catalog_rows(
        target, load_query("db_sync/write", "has_deferrable"), [[plan.target.oid for plan in plans]]
    )
    if deferrable:
        return False
    return act_as_replica(target)


def find_guards(target: Session, plans: list[TablePlan]) -> list[Guard]:
    """Return what would fire on a write to these tables, as the session's role stands."""
    query = load_query("db_sync/write", "list_triggers_and_rules")
    tables = [plan.target.oid for plan in plans]
    return [Guard(*row) for row in catalog_rows(target, query, {"tables": tables})]


@contextmanager
def switched_off(target: Session, found: list[Guard]) -> Iterator[None]:
    """Switch triggers and rules off, and restore each state exactly.

    Nothing is restored if the body fails: the transaction is lost then, and this with it.
    """

    def alter(action: Callable[[str], str]) -> None:
        for guard in found:
            define(
                target,
                sql.SQL("ALTER TABLE ONLY {} {} {} {}").format(
                    guard.on.identifier,
                    sql.SQL(action(guard.state)),
                    sql.SQL(guard.kind),
                    sql.Identifier(guard.name),
                ),
            )

    alter(lambda _: "DISABLE")
    yield
    alter(lambda state: ENABLE[state])
