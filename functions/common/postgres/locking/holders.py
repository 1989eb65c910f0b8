"""Who holds a lock that we wait for, named without personal data.

An `application_name` and the gid of a prepared transaction may contain anything: both are repeated
only if they are ours. Other holders are named by backend and user.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from common.postgres.database import APPLICATION_NAME, Session
from common.postgres.names import Name
from common.postgres.queries import load_query
from common.postgres.settings.function_names import catalog_records

NO_KEY: dict[str, int | None] = dict.fromkeys(("high", "low", "class", "but"))
APPLICATION_NAME_LENGTH = 63  # where the server cuts it


class Holder(NamedTuple):
    """A backend, or a prepared transaction (its xid), which has no backend."""

    pid: int | None
    user_name: str | None  # none for the server's own processes
    backend_type: str | None
    application_name: str | None
    prepared: str | None
    gid: str | None

    @property
    def execution(self) -> str | None:
        """The execution that holds the lock; None if it is not a run of ours."""
        shown = self.application_name
        if not shown or not shown.startswith(APPLICATION_NAME):
            return None
        name = shown.removeprefix(APPLICATION_NAME).strip() or "(without a name)"
        return name + "…" * (len(shown) == APPLICATION_NAME_LENGTH)

    def __str__(self) -> str:
        if self.prepared:
            gid = self.gid if self.gid and self.gid.startswith(APPLICATION_NAME) else None
            return (
                f"the prepared transaction {self.prepared} ({f'{gid}, ' if gid else ''}owner"
                f" {self.user_name}; COMMIT PREPARED or ROLLBACK PREPARED with its gid from"
                " pg_prepared_xacts ends it)"
            )
        if self.execution:
            return f"backend {self.pid} ({self.application_name})"
        who = f"user {self.user_name}" if self.user_name else self.backend_type
        return f"backend {self.pid} ({who})"


class TableLock(NamedTuple):
    """A lock on a table, and who holds it."""

    holder: Holder
    mode: str
    table: str

    def __str__(self) -> str:
        return f"{self.holder} holds {self.mode} on {self.table}"


def find_table_locks(session: Session, tables: list[Name], *, readers: bool) -> list[TableLock]:
    """Return who else holds locks on these tables; `readers`: whether readers' locks count."""
    names = [session.quoted(table.identifier) for table in tables]
    parameters = {"tables": names, "readers": readers, "high": None, "low": None}
    return _list_holders(session, parameters, _table_lock)


def find_advisory_holder(session: Session, key: int) -> Holder | None:
    """Return who else holds the advisory lock of a 64-bit key; None if nobody does by now."""
    key_halves = {"high": key >> 32, "low": key & 0xFFFFFFFF}
    parameters = {"tables": [], "readers": False, **key_halves}
    holders = _list_holders(session, parameters, _holder)
    return holders[0] if holders else None


def _list_holders[T](
    session: Session, parameters: dict[str, Any], make: Callable[..., T]
) -> list[T]:
    """Return who holds locks now: a transaction would go on seeing the sessions that it saw first.

    https://www.postgresql.org/docs/current/monitoring-stats.html#MONITORING-STATS-VIEWS
    """
    session.row("SELECT pg_catalog.pg_stat_clear_snapshot()::pg_catalog.text")
    query = load_query("common/postgres/locking", "list_lock_holders")
    return catalog_records(session, query, parameters, make)


def _table_lock(**row: Any) -> TableLock:
    return TableLock(_holder(**row), row["mode"], row["table_name"])


def _holder(**row: Any) -> Holder:
    return Holder(*(row[field] for field in Holder._fields))


def describe_locks(locks: list[TableLock]) -> str:
    """Return who holds which locks, for a message."""
    return ", ".join(map(str, locks)) or "by now nobody holds a conflicting lock"
