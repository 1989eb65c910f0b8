"""The order in which tables are written while their foreign keys stay in place.

Rows are deleted from children before their parents, and inserted into parents before their
children. A row that others refer to is updated, not deleted and inserted again. Where that is not
possible, the foreign key is dropped until the end of the sync.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import NamedTuple

from common.postgres.database import Session
from common.postgres.foreign_keys import ForeignKey
from common.postgres.queries import load_query
from common.postgres.settings.function_names import catalog_records
from db_sync.write.orphans import Prospect, Stagings


class _BoundColumn(NamedTuple):
    """A column whose values an UPDATE cannot exchange between rows; see list_bound_columns.sql."""

    root: int
    name: str | None


def keys_to_drop(
    target: Session, prospects: list[Prospect], merges: Stagings, synced: set[int]
) -> list[ForeignKey]:
    """Return the foreign keys that must be dropped until the end of the sync.

    Args:
        target: the session that writes.
        prospects: what would happen to each foreign key from or to the tables.
        merges: the tables of which some rows are written, whose changes are found.
        synced: the oids of all tables that are synced.
    """
    dropped = {prospect.key for prospect in prospects if _must_be_dropped(prospect, merges, synced)}
    keys = [prospect.key for prospect in prospects]
    dropped |= _keys_to_rows_that_cannot_be_updated(target, set(keys) - dropped, merges)
    dropped |= _keys_in_circles(set(keys) - dropped)
    return [key for key in keys if key in dropped]


def _must_be_dropped(prospect: Prospect, merges: Stagings, synced: set[int]) -> bool:
    """Return whether a key cannot stay in place in any order of writing."""
    key = prospect.key
    return (
        prospect.orphans is None  # it can only be checked when all rows are written
        # It would prevent the parent's deletion, or delete or change a row that should stay: the
        # parent is deleted before another one with the same value is inserted.
        or prospect.is_touched
        # It is checked for rows that are written, even though older ones violate it.
        or (key.is_enforced and not key.is_valid and key.child_root in merges)
        # In a table that is not synced, nothing could verify that its action changed no rows.
        or (prospect.loses_parents and key.acts_on_delete and key.child_root not in synced)
    )


def parents_first(keys: Sequence[ForeignKey]) -> Iterable[int]:
    """Return the oids of tables in an order in which every parent comes before its children."""
    return TopologicalSorter(_parents(keys)).static_order()


def referenced(keys: Sequence[ForeignKey]) -> set[int]:
    """Return the oids of the tables (or of their partition roots) that foreign keys point to."""
    return {key.parent_root for key in keys}


def _keys_to_rows_that_cannot_be_updated(
    target: Session, keys: set[ForeignKey], merges: Stagings
) -> set[ForeignKey]:
    """Return the keys to tables in which a changed row must be deleted and inserted again.

    Either rows exchange unique values, which UPDATE cannot do; or a row gets another parent, and
    its old one is deleted before the new one is inserted.
    """
    parents = {key.parent_root for key in keys}
    bound: dict[int, set[str | None]] = defaultdict(set)
    query = load_query("db_sync/write", "list_bound_columns")
    for column in catalog_records(target, query, {"tables": list(parents)}, _BoundColumn):
        bound[column.root].add(column.name)
    for key in keys:
        bound[key.child_root].update(key.columns)
    stuck = {
        oid
        for oid, staging in merges.items()
        if oid in parents and staging.changes_any_of(bound[oid])
    }
    return {key for key in keys if key.parent_root in stuck}


def _keys_in_circles(keys: set[ForeignKey]) -> set[ForeignKey]:
    """Return the keys of tables that refer to each other in a circle (not to themselves)."""
    found: set[ForeignKey] = set()
    while True:
        try:
            TopologicalSorter(_parents(keys - found)).prepare()
        except CycleError as error:
            circle = set(error.args[1])
            found |= {key for key in keys if {key.child_root, key.parent_root} <= circle}
        else:
            return found


def _parents(keys: Iterable[ForeignKey]) -> dict[int, set[int]]:
    parents: dict[int, set[int]] = defaultdict(set)
    for key in keys:
        if key.child_root != key.parent_root:
            parents[key.child_root].add(key.parent_root)
    return parents
