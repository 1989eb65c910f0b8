"""How many rows of a table the transaction has written so far, as the server counts them."""

from dataclasses import dataclass

from common.postgres.database import Session
from common.postgres.names import Name
from common.postgres.queries import load_query


@dataclass(frozen=True, slots=True)
class Writes:
    """How many rows of a table were inserted, updated and deleted; see count_writes.sql."""

    inserted: int
    updated: int
    deleted: int

    def updating(self, rows: int) -> "Writes":
        """Return what it is after so many more rows are updated."""
        return Writes(self.inserted, self.updated + rows, self.deleted)


def count_writes(target: Session, table: Name) -> Writes:
    """Return what the transaction has written to a table; that of its triggers too."""
    parameters = {"table": target.quoted(table.identifier)}
    (writes,) = target.records(load_query("update_db", "count_writes"), parameters, Writes)
    return writes
