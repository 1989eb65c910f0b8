"""Tables whose owner has bound itself to their policies, read and written whole all the same.

Row level security does not bind a table's owner unless it is forced. Where it is, a plain owner
can neither read nor write every row, so that it is switched off meanwhile. That shuts out the
table's readers until the transaction ends; those of other tables go on.
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
    """Switch FORCE ROW LEVEL SECURITY off where it binds us, and on again.

    Nothing is restored if the body fails: the transaction is lost then, and this with it.

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
