"""Who holds a lock that we wait for, told without what may be personal.

People write what they like into an `application_name`, and into the name of a prepared
transaction: both are repeated only where they are ours. Everybody else is told by backend and user.
"""

from typing import NamedTuple

from common.postgres.database import APPLICATION_NAME, Session
from common.postgres.names import Name
from common.postgres.queries import load_query
from common.postgres.settings.function_names import catalog_rows

APPLICATION_NAME_LENGTH = 63  # where the server cuts it


class Holder(NamedTuple):
    """A backend, or a prepared transaction (its xid), which has none."""

    pid: int | None
    user: str | None  # none for the server's own processes
    backend_type: str | None
    application: str | None
    prepared: str | None
    gid: str | None

    @property
    def execution(self) -> str | None:
        """The execution that holds it; None where it is no run of ours."""
        if not self.application or not self.application.startswith(APPLICATION_NAME):
            return None
        name = self.application.removeprefix(APPLICATION_NAME).strip() or "(without a name)"
        return name + "…" * (len(self.application) == APPLICATION_NAME_LENGTH)

    def __str__(self) -> str:
        if self.prepared:
            gid = self.gid if self.gid and self.gid.startswith(APPLICATION_NAME) else None
            return (
                f"the prepared transaction {self.prepared} ({f'{gid}, ' if gid else ''}owner"
                f" {self.user}; COMMIT PREPARED or ROLLBACK PREPARED with its gid from"
                " pg_prepared_xacts ends it)"
            )
        if self.execution:
            return f"backend {self.pid} ({self.application})"
        return f"backend {self.pid} ({f'user {self.user}' if self.user else self.backend_type})"


class TableLock(NamedTuple):
    """A lock on a table, and who holds it."""

    holder: Holder
    mode: str
    table: str

    def __str__(self) -> str:
        return f"{self.holder} holds {self.mode} on {self.table}"


def find_table_locks(session: Session, tables: list[Name], *, readers: bool) -> list[TableLock]:
    """Return who else holds locks on these tables; `readers`: whether theirs count."""
    rows = catalog_rows(
        session,
        load_query("common/postgres/locking", "list_lock_holders"),
        {"tables": [session.quoted(table.identifier) for table in tables], "readers": readers},
    )
    return [TableLock(Holder(*holder), mode, table) for *holder, mode, table in rows]


def find_advisory_holder(session: Session, key: int) -> Holder | None:
    """Return who holds the advisory lock of a 64-bit key; None if nobody does any more."""
    rows = catalog_rows(
        session,
        load_query("common/postgres/locking", "find_advisory_holder"),
        {"high": key >> 32, "low": key & 0xFFFFFFFF},
    )
    return Holder(*rows[0]) if rows else None


def told(locks: list[TableLock]) -> str:
    """Return who holds what, for a message."""
    return ", ".join(map(str, locks)) or "whoever held them has let go meanwhile"
