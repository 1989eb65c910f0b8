"""Tables with FORCE ROW LEVEL SECURITY, all rows of which are read and written nevertheless.

Row level security does not apply to a table's owner unless it is forced. Where it is, an owner that
is no superuser may not read or write every row, so that FORCE is switched off meanwhile. That
blocks the table's readers until the transaction ends; readers of other tables are not blocked.
https://www.postgresql.org/docs/current/ddl-rowsecurity.html
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from psycopg2 import sql

from common.postgres.database import Session
from common.postgres.locking import locks
from common.postgres.settings.replication_role import define
from db_sync.plan.tables import TablePlan


@contextmanager
def no_forced_row_security(target: Session, plans: Iterable[TablePlan]) -> Iterator[None]:
    """Switch FORCE ROW LEVEL SECURITY off where it applies to us, and on again.

    Nothing is restored if the body fails: the transaction is rolled back then.

    Raises:
        TargetBusy: a lock was not granted in time.
    """
    forced = [plan.name for plan in plans if plan.target.rights.has_policies]
    locks.lock_tables(target, forced, locks.ACCESS_EXCLUSIVE)

    def alter(state: str) -> None:
        for name in forced:
            define(
                target,
                sql.SQL("ALTER TABLE {} {} ROW LEVEL SECURITY").format(
                    name.identifier, sql.SQL(state)
                ),
            )

    alter("NO FORCE")
    yield
    alter("FORCE")
