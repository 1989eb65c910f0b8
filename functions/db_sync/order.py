"""In which order tables are written where their foreign keys stay in place.

Rows are deleted from children before their parents, and inserted into parents before their
children. A row that others refer to is not deleted and inserted anew: it is updated. Where
that cannot be done, the foreign key is dropped for the length of the sync.
"""

from collections import defaultdict
from graphlib import CycleError, TopologicalSorter

from common.database import Session
from common.foreign_keys import ForeignKey
from common.queries import load_query
from db_sync import merge
from db_sync.compare import Difference


def keys_in_the_way(
    target: Session,
    keys: list[ForeignKey],
    vouched: set[ForeignKey],
    merged: list[Difference],
    whole: list[Difference],
) -> list[ForeignKey]:
    """Return the foreign keys that must be dropped for the length of the sync.

    Args:
        target: the session that writes; it knows the changes of the merged tables.
        keys: the foreign keys from or to the tables.
        vouched: those of them that no row of production breaks.
        merged: the tables of which some rows are written.
        whole: the tables that are copied whole.
    """
    copied = {difference.plan.target.oid for difference in whole}
    dropped = {
        key
        for key in keys
        if copied & {key.child_root, key.parent_root}
        # It holds for rows that are written, even if older ones break it.
        or not key.is_valid
        # It would change rows that are to stay: of a table that is not synced, or in ranges that
        # are the same and not looked at again.
        or (key.has_action and key not in vouched)
    }
    dropped |= _keys_to_rows_that_cannot_be_updated(target, set(keys) - dropped, merged)
    dropped |= _keys_in_circles(set(keys) - dropped)
    return [key for key in keys if key in dropped]


def parents_first(differences: list[Difference], keys: list[ForeignKey]) -> list[Difference]:
    """Return tables in an order in which every parent comes before its children."""
    by_oid = {difference.plan.target.oid: difference for difference in differences}
    order = TopologicalSorter(_parents(keys)).static_order()
    first = [by_oid[oid] for oid in order if oid in by_oid]
    return first + [difference for difference in differences if difference not in first]


def referenced(keys: list[ForeignKey]) -> set[int]:
    """Return the oids of the tables (or of their partition roots) that foreign keys point to."""
    return {key.parent_root for key in keys}


def _keys_to_rows_that_cannot_be_updated(
    target: Session, keys: set[ForeignKey], merged: list[Difference]
) -> set[ForeignKey]:
    """Return the keys to tables where a changed row must be deleted and inserted anew.

    Two rows may swap a unique value, which an UPDATE could not; or a row refers to another
    parent, and the old one is deleted before the new one is there.
    """
    parents = {key.parent_root for key in keys}
    bound: dict[int, set[str | None]] = defaultdict(set)
    query = load_query("db_sync", "list_bound_columns")
    for root, column in target.rows(query, {"tables": list(parents)}):
        bound[root].add(column)
    for key in keys:
        bound[key.child_root].update(key.columns)
    stuck = {
        difference.plan.target.oid
        for difference in merged
        if difference.plan.target.oid in parents
        and merge.changes_any_of(target, difference, bound[difference.plan.target.oid])
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


def _parents(keys: set[ForeignKey] | list[ForeignKey]) -> dict[int, set[int]]:
    parents: dict[int, set[int]] = defaultdict(set)
    for key in keys:
        if key.child_root != key.parent_root:
            parents[key.child_root].add(key.parent_root)
    return parents
