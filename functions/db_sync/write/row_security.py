"""Tables with FORCE ROW LEVEL SECURITY, all rows of which are read and written nevertheless.

Row level security does not apply to a table's owner unless it is forced. Where it is, an owner that
is no superuser may not read or write every row, so that FORCE is switched off meanwhile. That
blocks the table's readers until the transaction ends; readers of other tables are not blocked.
https://www.postgresql.org/docs/current/ddl-rowsecurity.html
"""

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager

from psycopg2 import sql

from common.postgres.database import Session
from common.postgres.locking import locks
from common.postgres.names import Name
from common.postgres.settings.replication_role import define
from db_sync.plan.tables import TablePlan


def stop_forcing(target: Session, plans: Iterable[TablePlan]) -> None:
    """Switch FORCE ROW LEVEL SECURITY off where it applies to us, until it is forced again.

    Or until the transaction is rolled back.

    Raises:
        TargetBusy: a lock was not granted in time.
    """
    forced = _forced(plans)
    locks.lock_tables(target, [plan.name for plan in forced], locks.ACCESS_EXCLUSIVE)
    _alter(target, _names(forced), "NO FORCE")


def force_again(target: Session, plans: Iterable[TablePlan]) -> None:
    """Switch it on again where `stop_forcing` has switched it off."""
    _alter(target, _names(_forced(plans)), "FORCE")


@contextmanager
def not_forced(target: Session, tables: Collection[Name]) -> Iterator[None]:
    """Switch it off for a with statement that only reads, where it applies to us.

    Raises:
        TargetBusy: a lock was not granted in time.
    """
    forced = [name for name in dict.fromkeys(tables) if _has_policies(target, name)]
    if not forced:
        yield
        return
    with target.savepoint(force_rollback=True):
        locks.lock_tables(target, sorted(forced), locks.ACCESS_EXCLUSIVE)
        _alter(target, forced, "NO FORCE")
        yield


def _has_policies(target: Session, table: Name) -> bool:
    name = target.quoted(table.identifier)
    (has_policies,) = target.row("SELECT row_security_active(%s)", [name])
    return bool(has_policies)


def _forced(plans: Iterable[TablePlan]) -> list[TablePlan]:
    return [plan for plan in plans if plan.target.rights.has_policies]


def _names(plans: Iterable[TablePlan]) -> list[Name]:
    return [plan.name for plan in plans]


def _alter(target: Session, tables: Iterable[Name], state: str) -> None:
    for table in tables:
        define(
            target,
            sql.SQL("ALTER TABLE {} {} ROW LEVEL SECURITY").format(
                table.identifier, sql.SQL(state)
            ),
        )
