"""The columns that follow the sub column in the target, and the foreign keys among them."""

from dataclasses import dataclass

from psycopg2 import sql

from common.follow.substitution import SubColumn
from common.postgres.foreign_keys import ForeignKey, KeyColumn
from common.postgres.names import Name, TableColumn
from common.postgres.unlink import unlinked_value
from update_db.masked_emails import Parts


@dataclass(frozen=True, slots=True)
class FollowingColumn:
    """A column that follows; `number` identifies it in statements.

    `is_generated`: it is computed from other columns, so that it is neither written nor verified.
    """

    number: int
    name: TableColumn
    sub: SubColumn
    is_partitioned: bool
    is_generated: bool

    @property
    def rows(self) -> sql.Composable:
        """The table, as a statement that writes to it names it."""
        return sql.SQL("" if self.is_partitioned else "ONLY ") + self.name.table.identifier


@dataclass(frozen=True, slots=True)
class FollowingKey:
    """An enforced foreign key by which columns follow; its tables are named by their roots.

    `pairs` are its columns that follow, each with the one that it refers to. `is_exact`: whether a
    value refers to the same value only, and not to one in capital letters, for example.
    """

    key: ForeignKey
    pairs: tuple[KeyColumn, ...]
    is_exact: bool
    child_table: Name
    parent_table: Name

    @property
    def children(self) -> set[TableColumn]:
        """Its columns that follow."""
        return {TableColumn(self.child_table, pair.child) for pair in self.pairs}


@dataclass(frozen=True, slots=True)
class Followers:
    """The columns that follow the sub column `followed`, and the foreign keys among them and to it.

    `holds_uuids`: whether the sub column or a follower holds subs as uuid and not as texts.
    """

    followed: TableColumn
    columns: tuple[FollowingColumn, ...] = ()
    keys: tuple[FollowingKey, ...] = ()
    holds_uuids: bool = False

    @property
    def tables(self) -> set[Name]:
        """The tables that they are in."""
        return {column.name.table for column in self.columns}

    def parts_of_unlinked(self, parts: Parts) -> Parts:
        """Return the part of the remap's statements that replaces a sub that is taken away.

        With followers it is never NULL, so that they keep their person, and fits all of them.
        """
        if not self.columns:
            return {}
        base_type = "uuid" if self.holds_uuids else "text"
        value = unlinked_value(is_required=True, base_type=base_type)
        return {
            "unlinked": sql.SQL("CAST(CAST({} AS text) AS {})").format(value, parts["exact_type"])
        }
