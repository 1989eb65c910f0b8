"""Patterns of columns, as rules name them: `schema.table.column` with `*`, or `*.column`."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from common.errors import ConfigurationError
from common.postgres.names import Name, TableColumn, split_name

ANY = "*"
SHAPE = (
    '"schema.table.column", in which * stands for any characters, or "*.column" for a column of'
    ' any table; a part that contains a dot must be in double quotes, as in public."audit.2024".at'
)
PARTS, PARTS_OF_ANY_TABLE = 3, 2


@dataclass(frozen=True, slots=True)
class ColumnPattern:
    """The columns that a rule names; `text` is the pattern as the team wrote it."""

    text: str
    schema: str
    table: str
    column: str

    @classmethod
    def parse(cls, text: str, rule: str) -> Self:
        """Return the pattern in a text.

        Raises:
            ConfigurationError: it does not have the form.
        """
        parts = split_name(text)
        if len(parts) == PARTS_OF_ANY_TABLE and parts[0] == ANY:
            return cls(text, ANY, ANY, parts[1])
        if len(parts) != PARTS:
            raise ConfigurationError(f'The sync rule "{rule}" names "{text}"; it must be {SHAPE}.')
        return cls(text, *parts)

    @property
    def exactness(self) -> tuple[int, int]:
        """How exactly it names columns: how many parts it spells out, and in how many letters."""
        parts = (self.schema, self.table, self.column)
        exact = [part for part in parts if ANY not in part]
        return len(exact), sum(len(part.replace(ANY, "")) for part in parts)

    @property
    def is_exact(self) -> bool:
        """Whether it spells out one column."""
        return self.exactness[0] == PARTS

    @property
    def only_column(self) -> tuple[Name, str] | None:
        """The one column that it names; None if it may name several."""
        return (Name(self.schema, self.table), self.column) if self.is_exact else None

    def matches(self, table: Name, column: str) -> bool:
        """Return whether it names a column."""
        return all(
            _is_like(pattern, name)
            for pattern, name in (
                (self.schema, table.schema),
                (self.table, table.name),
                (self.column, column),
            )
        )


def most_exact[R](
    rules: Iterable[tuple[ColumnPattern, R]], kind: str, column: TableColumn
) -> tuple[ColumnPattern, R] | None:
    """Return the most exact of the rules that name a column, each with its pattern.

    Args:
        rules: those that name it.
        kind: how an error calls them.
        column: the column.

    Raises:
        ConfigurationError: two that are equally exact say different things.
    """
    by_exactness = sorted(rules, key=lambda rule: rule[0].exactness, reverse=True)
    if not by_exactness:
        return None
    first, says = by_exactness[0]
    for other, says_other in by_exactness[1:]:
        if other.exactness == first.exactness and says_other != says:
            raise ConfigurationError(
                f'The {kind} rules "{first.text}" and "{other.text}" both name {column}, equally'
                " exactly. Write a rule for that column."
            )
    return first, says


def _is_like(pattern: str, name: str) -> bool:
    if ANY not in pattern:
        return pattern == name
    return re.fullmatch(".*".join(map(re.escape, pattern.split(ANY))), name, re.DOTALL) is not None
