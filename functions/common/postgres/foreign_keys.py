"""Foreign keys as the catalog has them, and how PostgreSQL compares the two sides of one."""

from dataclasses import dataclass
from typing import Any, NamedTuple

from psycopg2 import sql

from common.postgres.database import Session
from common.postgres.names import Name
from common.postgres.queries import load_query

# What happens to a child when its parent is deleted or gets another value, as in pg_constraint.
NO_ACTION, RESTRICT, CASCADE = "a", "r", "c"
ACTIONS = {
    NO_ACTION: "NO ACTION",
    RESTRICT: "RESTRICT",
    CASCADE: "CASCADE",
    "n": "SET NULL",
    "d": "SET DEFAULT",
}
MATCH_FULL = "f"


class KeyColumn(NamedTuple):
    """A column of the child and the parent's column that it refers to.

    `operator` compares the parent's value with the child's, under types and a collation that are
    None if they are the columns' own. `meaning` is equal for two keys that compare alike.
    """

    child: str
    parent: str
    operator: str
    child_type: str | None
    parent_type: str | None
    collation: str | None
    meaning: str

    def compared(self, child: str, parent: str) -> sql.Composable:
        """Return the condition that a row of `child` refers to one of `parent`; both are aliases.

        The parent's collation applies, as in PostgreSQL's own check.
        """
        cast = "{}::{}"
        left: sql.Composable = sql.Identifier(parent, self.parent)
        if self.parent_type:
            left = sql.SQL(cast).format(left, sql.SQL(self.parent_type))
        right: sql.Composable = sql.Identifier(child, self.child)
        if self.child_type:
            right = sql.SQL(cast).format(right, sql.SQL(self.child_type))
        if self.collation:
            right = sql.SQL("{} COLLATE {}").format(right, sql.SQL(self.collation))
        return sql.SQL("{} OPERATOR({}) {}").format(left, sql.SQL(self.operator), right)


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """A foreign key; roots are the oids of the tables or of their partition roots."""

    name: str
    child: Name
    child_is_partitioned: bool
    child_root: int
    parent: Name
    parent_is_partitioned: bool
    parent_root: int
    pairs: tuple[KeyColumn, ...]
    match: str
    on_delete: str
    on_update: str
    is_valid: bool
    is_enforced: bool
    is_period: bool
    definition: str
    comment: str | None

    @property
    def columns(self) -> tuple[str, ...]:
        """The child's columns."""
        return tuple(pair.child for pair in self.pairs)

    @property
    def parent_columns(self) -> tuple[str, ...]:
        """The parent's columns."""
        return tuple(pair.parent for pair in self.pairs)

    @property
    def child_rows(self) -> sql.Composable:
        """The rows that it checks, as a FROM item: without those of tables that inherit."""
        return _only(self.child, is_partitioned=self.child_is_partitioned)

    @property
    def parent_rows(self) -> sql.Composable:
        """The rows that it accepts as parents, as a FROM item."""
        return _only(self.parent, is_partitioned=self.parent_is_partitioned)

    @property
    def acts_on_delete(self) -> bool:
        """Whether deleting the parent deletes or changes the child, as CASCADE does."""
        return self.on_delete not in {NO_ACTION, RESTRICT}

    def says_the_same_as(self, other: "ForeignKey") -> bool:
        """Return whether both require the same of the same tables, whatever their own names.

        With another type, collation or match type rows may satisfy one and break the other.
        """
        return (self.child, self.parent, self._meanings, self.match) == (
            other.child,
            other.parent,
            other._meanings,
            other.match,
        )

    @property
    def _meanings(self) -> set[tuple[str, str, str]]:
        """Its pairs of columns, without names of operators and types, which may differ."""
        return {(pair.child, pair.parent, pair.meaning) for pair in self.pairs}

    def refers(self, child: str, parent: str) -> sql.Composable:
        """Return the condition that a row of `child` refers to one of `parent`, both aliases."""
        return sql.SQL(" AND ").join(pair.compared(child, parent) for pair in self.pairs)


def read_foreign_keys(session: Session) -> list[ForeignKey]:
    """Return every foreign key of a database, without partitions' copies of their root's."""
    return session.records(load_query("common/postgres", "list_foreign_keys"), None, _foreign_key)


def _foreign_key(
    *,
    child_schema: str,
    child_name: str,
    parent_schema: str,
    parent_name: str,
    pairs: list[dict[str, Any]],
    **others: Any,
) -> ForeignKey:
    """Return the foreign key of a row of list_foreign_keys.sql."""
    return ForeignKey(
        child=Name(child_schema, child_name),
        parent=Name(parent_schema, parent_name),
        pairs=tuple(KeyColumn(**pair) for pair in pairs),
        **others,
    )


def _only(table: Name, *, is_partitioned: bool) -> sql.Composable:
    return sql.SQL("" if is_partitioned else "ONLY ") + table.identifier
