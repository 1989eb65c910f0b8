"""The `follow` rule: which columns hold a user's sub, besides those that a foreign key shows."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import permutations
from typing import Any, NamedTuple, Self

from common.errors import ConfigurationError
from common.json_paths import Path, leads_to, parse_path
from common.postgres.column_patterns import ColumnPattern, most_exact
from common.postgres.names import Name, TableColumn, split_name

COLUMN_PARTS = 3
SHAPE = (
    'must be an object of columns and the sub column that they follow, like {"public.notes.by_sub":'
    ' "public.users.cognito_sub"}; for jsonb {"public.teams.settings": {"column":'
    ' "public.users.cognito_sub", "paths": ["$.members[*]"]}}; null for columns that stay as they'
    " are"
)


class FollowRule(NamedTuple):
    """The columns that a pattern names, and the sub column that they follow.

    `followed` is None for columns that stay as they are, whatever they hold. `paths` lead to the
    subs in a jsonb; none for a column that holds a sub, or an array of them.
    """

    pattern: ColumnPattern
    followed: TableColumn | None
    paths: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class FollowRules:
    """The team's rules, as they were written."""

    rules: tuple[FollowRule, ...] = ()

    @classmethod
    def parse(cls, value: object) -> Self:
        """Return the rules in the value of "follow".

        Raises:
            ConfigurationError: it does not have the shape that `SHAPE` shows.
        """
        if not isinstance(value, dict):
            raise _malformed()
        return cls(tuple(_rule(text, followed) for text, followed in value.items()))

    @property
    def followed(self) -> set[TableColumn]:
        """The sub columns that the rules name."""
        return {rule.followed for rule in self.rules if rule.followed}

    def rule_of(self, column: TableColumn) -> FollowRule | None:
        """Return the most exact rule that names a column; a sub column follows no pattern.

        Raises:
            ConfigurationError: two that are equally exact say different things.
        """
        found = [rule for rule in self.rules if rule.pattern.matches(*column)]
        if column in self.followed:
            found = [rule for rule in found if rule.pattern.is_exact]
        exact = most_exact([(each.pattern, each[1:]) for each in found], "follow", column)
        return FollowRule(exact[0], *exact[1]) if exact else None

    def unmatched(self, columns: Iterable[TableColumn]) -> Iterator[str]:
        """Yield a clause for each rule that names no column, or follows none, of all columns."""
        known = set(columns)
        for rule in self.rules:
            if not any(rule.pattern.matches(*column) for column in known):
                yield f'no column is named by "{rule.pattern.text}" of the "follow" rule'
        for column in sorted(self.followed - known):
            yield f'there is no column {column}, which the "follow" rule names as a sub column'


def _rule(text: str, value: object) -> FollowRule:
    pattern = ColumnPattern.parse(text, "follow")
    if value is None:
        return FollowRule(pattern, None)
    if isinstance(value, str):
        return FollowRule(pattern, _sub_column(value))
    if not isinstance(value, Mapping) or value.keys() != {"column", "paths"}:
        raise _malformed()
    return FollowRule(pattern, _sub_column(value["column"]), _paths(value["paths"]))


def _paths(value: Any) -> tuple[Path, ...]:  # as JSON has it
    if not isinstance(value, list) or not value or not all(isinstance(each, str) for each in value):
        raise _malformed()
    paths = tuple(map(parse_path, value))
    if any(leads_to(*pair) for pair in permutations(paths, 2)):
        raise ConfigurationError(
            'The sync rule "follow" has paths of which one leads to another, or through it:'
            f" {', '.join(value)}. Name each sub once."
        )
    return paths


def _sub_column(value: object) -> TableColumn:
    parts = split_name(value) if isinstance(value, str) else []
    if len(parts) != COLUMN_PARTS:
        raise _malformed()
    schema, table, column = parts
    return TableColumn(Name(schema, table), column)


def _malformed() -> ConfigurationError:
    return ConfigurationError(f'The sync rule "follow" {SHAPE}.')
