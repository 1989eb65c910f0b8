"""What of the target's schema would act on our writes: triggers and rules.

They are put to sleep for the transaction and are as before at its end. Where the role may set
it, `session_replication_role = replica` does that without a lock on any reader.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from psycopg2 import sql

from common.database import Session
from common.errors import ConfigurationError
from common.queries import load_query
from db_sync.plan import TablePlan

ENABLE = {"O": "ENABLE", "R": "ENABLE REPLICA", "A": "ENABLE ALWAYS"}


def sleep_as_replica(target: Session, plans: list[TablePlan]) -> bool:
    """Set `session_replication_role` for the transaction; return whether that was done.

    Not where the role may not, nor where one of the tables has a deferrable unique or exclusion
    constraint: a trigger checks those, and it would sleep too.
    """
    (deferrable,) = target.row(
        load_query("db_sync", "has_deferrable"), [[plan.target.oid for plan in plans]]
    )
    if deferrable:
        return False
    target.execute("SAVEPOINT replica")
    try:
        target.execute("SET LOCAL session_replication_role = replica")
    except ConfigurationError:
        target.execute("ROLLBACK TO SAVEPOINT replica")
        return False
    return True


@contextmanager
def triggers_and_rules_off(target: Session, plans: list[TablePlan]) -> Iterator[None]:
    """Switch off what would fire on a write to these tables, and restore each state exactly.

    Nothing is restored if the body fails: the transaction is lost then, and this with it.
    """
    found = target.rows(
        load_query("db_sync", "list_triggers_and_rules"),
        {"tables": [plan.target.oid for plan in plans]},
    )

    def alter(action: Callable[[str], str]) -> None:
        for kind, schema, table, name, state in found:
            target.execute(
                sql.SQL("ALTER TABLE ONLY {} {} {} {}").format(
                    sql.Identifier(schema, table),
                    sql.SQL(action(state)),
                    sql.SQL(kind),
                    sql.Identifier(name),
                )
            )

    alter(lambda _: "DISABLE")
    yield
    alter(lambda state: ENABLE[state])
