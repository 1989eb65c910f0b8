"""Writing the subs that were decided, and the check that the table has them then."""

from collections.abc import Mapping
from dataclasses import dataclass

from psycopg2 import sql

from common.errors import VerificationFailed
from common.postgres.database import Session
from common.postgres.queries import load_query
from update_db.result import RemapCounts
from update_db.statements import planned_with, statement
from update_db.users_table import UsersTable

type Parts = Mapping[str, sql.Composable]

# What a page that is read at random costs in the planner's view: the rows were just read, so that a
# few of them are found by their places, and not by reading the table once more.
COST_OF_A_KNOWN_PAGE = "0.1"
# The rows that our own statements wrote last, by the transaction's id.
WRITTEN_BY_US = sql.SQL(
    "u.xmin = (SELECT (pg_catalog.txid_current() % 4294967296)::text::pg_catalog.xid)"
)
ALL = sql.SQL("true")


def write_subs(
    target: Session, users: UsersTable, counts: RemapCounts, released: int, parts: Parts
) -> None:
    """Take subs away from rows that do not own them, then set the new ones.

    Args:
        target: the session in which the changes were decided.
        users: the table.
        counts: what was decided.
        released: how many rows lose their sub, some of which get another one.
        parts: the names in the remap's statements.

    Raises:
        VerificationFailed: a matched row does not have its sub, or another row has it too.
    """
    before = _count_writes(target, users)
    taken = _update(target, "release_subs", parts) if released else 0
    given = _update(target, "set_subs", parts)
    if given < counts.updated:
        given += target.execute(statement("set_moved_subs", parts))
    target.execute("SET CONSTRAINTS ALL IMMEDIATE")  # deferred triggers and checks run here
    wrote_alone = (taken, given) == (released, counts.updated) and _count_writes(
        target, users
    ) == before.updating(taken + given)
    # If so, all other rows are as they were when it was decided which subs they may keep.
    if wrote_alone and _count_holders(target, parts, WRITTEN_BY_US) == (given, given):
        return
    _verify_all(target, counts, parts)


def _update(target: Session, name: str, parts: Parts) -> int:
    """Update rows that are found by their places; return how many."""
    with planned_with(target, random_page_cost=COST_OF_A_KNOWN_PAGE):
        return target.execute(statement(name, parts))


def _verify_all(target: Session, counts: RemapCounts, parts: Parts) -> None:
    """Check all rows: the application's triggers may have written to any."""
    matched = counts.updated + counts.unchanged
    holders, right = _count_holders(target, parts, ALL)
    if not matched == holders == right:
        raise VerificationFailed(
            f"{matched} users were matched; after the update {right} of them have their sub, and"
            f" {holders - right} other rows have one of these. Everything was rolled back. Look for"
            " a trigger or rule on the users table that suppresses or changes updates."
        )


def _count_holders(target: Session, parts: Parts, is_checked: sql.Composable) -> tuple[int, int]:
    """Return how many rows have a sub that belongs to a matched row, and how many are that row."""
    holders, right = target.row(statement("count_holders", {**parts, "is_checked": is_checked}))
    return holders, right


@dataclass(frozen=True, slots=True)
class _Writes:
    """How many rows of the table were inserted, updated and deleted; see count_writes.sql."""

    inserted: int
    updated: int
    deleted: int

    def updating(self, rows: int) -> "_Writes":
        return _Writes(self.inserted, self.updated + rows, self.deleted)


def _count_writes(target: Session, users: UsersTable) -> _Writes:
    table = {"table": target.quoted(users.name.identifier)}
    (writes,) = target.records(load_query("update_db", "count_writes"), table, _Writes)
    return writes
