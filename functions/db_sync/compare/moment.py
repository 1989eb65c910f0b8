"""A moment of the target: what tells later whether it was written to since."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from common.postgres.database import Session
from common.postgres.queries import load_query
from common.postgres.settings.function_names import catalog_rows
from common.reports.notices import Notice
from db_sync.current_snapshot import read_snapshot

XIDS = 2**32  # a row has the last 32 bits of its transaction's id
FORGOTTEN = "10 minutes"  # a prepared transaction that is older is hardly still being committed


@dataclass(frozen=True, slots=True)
class Moment:
    """A snapshot as `read_snapshot` returns it, and what tables were stored in by then.

    `storage` are the digests of list_storage.sql, by the tables' oids.
    """

    snapshot: str
    storage: dict[int, int]

    @classmethod
    def of(cls, target: Session, tables: Sequence[int]) -> Self:
        """Return the moment that a session sees.

        Args:
            target: in a transaction that has locked the tables.
            tables: their oids.
        """
        return cls(read_snapshot(target), read_storage(target, tables))

    @property
    def oldest_xid(self) -> int:
        """The oldest transaction that was active; all that the moment does not show are as new.

        As 32 bits. See https://www.postgresql.org/docs/current/functions-info.html, pg_snapshot.
        """
        return int(self.snapshot.split(":")[0]) % XIDS


def read_storage(target: Session, tables: Sequence[int]) -> dict[int, int]:
    """Return digests of what tables are stored in, by their oids."""
    query = load_query("db_sync/compare", "list_storage")
    return dict(catalog_rows(target, query, [list(tables)]))


def warn_of_prepared(target: Session, moment: Moment) -> list[Notice]:
    """Return a notice if a forgotten prepared transaction makes rows look new that are not."""
    query = load_query("db_sync/compare", "find_oldest_prepared")
    found = catalog_rows(target, query, [str(moment.oldest_xid), FORGOTTEN])
    return [
        Notice(
            f"A prepared transaction of the target's server has been open since {prepared} UTC"
            f" (owner {owner}, transaction {moment.oldest_xid}). So whatever was written since then"
            " looks as if it was written during the sync, and is compared again while writers wait."
            " COMMIT PREPARED or ROLLBACK PREPARED ends it, with its gid from pg_prepared_xacts."
        )
        for owner, prepared in found
    ]
