"""Writing the subs that were decided, and the check that the table has them then."""

from collections.abc import Mapping

from psycopg2 import sql

from common.errors import VerificationFailed
from common.postgres.database import Session
from common.reports.remap import RemapCounts
from update_db.statements import planned_with, statement
from update_db.users_table import UsersTable
from update_db.writes import Writes, count_writes

type Parts = Mapping[str, sql.Composable]

# What a page that is read at random costs in the planner's view: the rows were just read, so that a
# few of them are found by their places, and not by reading the table once more.
COST_OF_A_KNOWN_PAGE = "0.1"
# The rows that our own statements wrote last, by the transaction's id.
WRITTEN_BY_US = sql.SQL(
    "u.xmin = (SELECT (pg_catalog.txid_current() % 4294967296)::text::pg_catalog.xid)"
)
ALL = sql.SQL("true")


class UsersWriter:
    """Writes the users' subs in one transaction; its methods are called in this order."""

    def __init__(
        self, target: Session, users: UsersTable, counts: RemapCounts, released: int, parts: Parts
    ) -> None:
        """Write in the session in which the changes were decided.

        Args:
            target: that session.
            users: the table.
            counts: what was decided.
            released: how many rows lose their sub, some of which get another one.
            parts: the names in the remap's statements.
        """
        self._target = target
        self._users = users
        self._counts = counts
        self._released = released
        self._parts = parts
        self._before: Writes | None = None
        self._taken = self._given = 0

    def write(self) -> None:
        """Take subs away from rows that do not own them, then set the new ones."""
        self._before = count_writes(self._target, self._users.name)
        if self._released:
            self._taken = self._update("release_subs")
        self._given = self._update("set_subs")
        if self._given < self._counts.updated:
            self._given += self._target.execute(statement("set_moved_subs", self._parts))

    def verify(self) -> None:
        """Check that each matched row has its sub, and no other row has it.

        Raises:
            VerificationFailed: a matched row does not have its sub, or another row has it too.
        """
        given = self._given
        # If so, all other rows are as they were when it was decided which subs they may keep.
        if self._wrote_alone and self._count_holders(WRITTEN_BY_US) == (given, given):
            return
        self._verify_all()

    @property
    def _wrote_alone(self) -> bool:
        """Whether nothing but our own statements wrote to the table, and these to all rows."""
        return (
            self._before is not None
            and (self._taken, self._given) == (self._released, self._counts.updated)
            and count_writes(self._target, self._users.name)
            == self._before.updating(self._taken + self._given)
        )

    def _update(self, name: str) -> int:
        """Update rows that are found by their places; return how many."""
        with planned_with(self._target, random_page_cost=COST_OF_A_KNOWN_PAGE):
            return self._target.execute(statement(name, self._parts))

    def _verify_all(self) -> None:
        """Check all rows: the application's triggers may have written to any."""
        matched = self._counts.updated + self._counts.unchanged
        holders, right = self._count_holders(ALL)
        if not matched == holders == right:
            raise VerificationFailed(
                f"{matched} users were matched; after the update {right} of them have their sub,"
                f" and {holders - right} other rows have one of these. Everything was rolled back."
                " Look for a trigger or rule on the users table that suppresses or changes updates."
            )

    def _count_holders(self, is_checked: sql.Composable) -> tuple[int, int]:
        """Return how many rows have a matched row's sub, and how many of them are that row."""
        parts = {**self._parts, "is_checked": is_checked}
        holders, right = self._target.row(statement("count_holders", parts))
        return holders, right
