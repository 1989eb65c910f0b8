"""Columns that refer to others by foreign keys, of either side, and so must be masked alike."""

from collections.abc import Iterator

from common.follow.followers import Reference
from common.postgres.names import TableColumn
from db_sync.plan.catalog import Catalog, Table
from db_sync.plan.defined_types import TEXTS
from db_sync.plan.mask_fitting import MaskedColumn
from db_sync.plan.tables import Plan

CITEXT = "citext"


class References:
    """The references between the columns of a plan."""

    def __init__(self, plan: Plan) -> None:
        """Find them."""
        self.all = tuple(dict.fromkeys(_references(plan)))  # most keys are on both sides
        sent = {TableColumn(table.name, each.name) for table in plan.tables for each in table.sent}
        self._referred_to: dict[TableColumn, list[TableColumn]] = {}
        self._parents: dict[TableColumn, set[TableColumn]] = {}
        for _, child, parent in self.all:
            self._referred_to.setdefault(child, []).append(parent)
            if parent in sent and parent != child:
                self._parents.setdefault(child, set()).add(parent)
        self._children: dict[TableColumn, list[TableColumn]] = {}
        for child in sorted(self._parents):
            for head in self.heads(child) - {child}:
                self._children.setdefault(head, []).append(child)

    def referred_to_by(self, child: TableColumn) -> list[TableColumn]:
        """Return the columns that a column refers to, synced or not."""
        return self._referred_to.get(child, [])

    def heads(self, column: TableColumn) -> set[TableColumn]:
        """Return the synced columns that a column refers to in the end, over any number of keys.

        Of columns that refer to each other it is the first one; without a reference, the column.
        """
        reached = self._reached(column)
        heads = {each for each in reached if not self._reached(each) - {each}}
        return heads or {min(reached | {column})}

    def referring_to(self, head: TableColumn) -> list[TableColumn]:
        """Return the columns that refer to one in the end."""
        return self._children.get(head, [])

    def _reached(self, column: TableColumn) -> set[TableColumn]:
        """Return all columns that a column refers to; itself only if others refer back to it."""
        reached: set[TableColumn] = set()
        left = [column]
        while left:
            more = self._parents.get(left.pop(), set()) - reached
            reached |= more
            left += more
        return reached


def ancestors(table: Table, catalog: Catalog) -> Iterator[Table]:
    """Yield the tables of a catalog that one of its tables inherits from, the nearest first."""
    if not table.parents:
        return
    parents = [each for each in catalog.tables.values() if each.oid in table.parents]
    yield from parents
    for parent in parents:
        yield from ancestors(parent, catalog)


def why_unlike(child: MaskedColumn, parent: MaskedColumn) -> str | None:
    """Return why one rule would mask equal values of two columns differently, if it would."""
    if _kind_of_type(child) != _kind_of_type(parent):
        return "are of different types"
    if child.most_characters != parent.most_characters:
        return "have different lengths"
    return None


def _kind_of_type(column: MaskedColumn) -> str:
    """Return a type, or one name for all types of texts; a citext's case does not matter."""
    return "text" if column.type in TEXTS - {CITEXT} else column.type


def _references(plan: Plan) -> Iterator[Reference]:
    tables = {table.name: table for table in plan.tables}
    for catalog in plan.catalogs:
        roots = {table.oid: table.name for table in catalog.tables.values()}
        for key in catalog.foreign_keys:
            child = tables.get(roots.get(key.child_root, key.child))
            if child is None:
                continue
            parent = roots.get(key.parent_root, key.parent)
            sent = {column.name for column in child.sent}
            for pair in key.pairs:
                if pair.child in sent:
                    yield Reference(
                        key.name,
                        TableColumn(child.name, pair.child),
                        TableColumn(parent, pair.parent),
                    )
