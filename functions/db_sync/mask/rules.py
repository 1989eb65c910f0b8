"""The mask rules that a team gives a sync, and which of them applies to a column."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, Self, get_args

from common.errors import ConfigurationError
from common.postgres.column_patterns import SHAPE, ColumnPattern, most_exact
from common.postgres.names import Name, TableColumn
from db_sync.mask.kinds import KEYED, MaskRule

type Unreviewed = Literal["warn", "fail", "mask"]


@dataclass(frozen=True)
class MaskRules:
    """Which columns are masked and how, which were reviewed, and what happens to the others.

    `unreviewed` is what happens to columns that look personal and that no rule names: a warning, an
    error, or a mask by a default of their type.
    """

    masks: Mapping[ColumnPattern, MaskRule] = field(default_factory=dict)
    reviewed: tuple[ColumnPattern, ...] = ()
    unreviewed: Unreviewed = "warn"

    @classmethod
    def parse(cls, rules: Mapping[str, Any]) -> Self:
        """Return the mask rules among the sync rules.

        Raises:
            ConfigurationError: they do not have this shape:
                {"mask": {"schema.table.column": "kind" or {"with": "kind", …}},
                "reviewed": ["schema.table.column"], "unreviewed": "warn", "fail" or "mask"}.
        """
        masks, reviewed = rules.get("mask", {}), rules.get("reviewed", [])
        if not isinstance(masks, dict):
            raise ConfigurationError(
                'The sync rule "mask" must be an object of columns and kinds, like'
                ' {"public.users.email": "email"}.'
            )
        if not isinstance(reviewed, list) or not all(isinstance(each, str) for each in reviewed):
            raise ConfigurationError(f'The sync rule "reviewed" must be a list of {SHAPE}.')
        unreviewed = rules.get("unreviewed", "warn")
        if unreviewed not in get_args(Unreviewed.__value__):
            raise ConfigurationError('The sync rule "unreviewed" must be "warn", "fail" or "mask".')
        return cls(
            {
                ColumnPattern.parse(text, "mask"): MaskRule.parse(text, rule)
                for text, rule in masks.items()
            },
            tuple(ColumnPattern.parse(text, "reviewed") for text in reviewed),
            unreviewed,
        )

    def __bool__(self) -> bool:
        """Whether the team masks anything, or wants to know what it does not mask."""
        return bool(self.masks or self.reviewed) or self.unreviewed != "warn"

    @property
    def needs_key(self) -> bool:
        """Whether some mask depends on the key."""
        return self.unreviewed == "mask" or any(
            kind in KEYED for rule in self.masks.values() for kind in rule.kinds
        )

    @cached_property
    def _of_one(self) -> dict[tuple[Name, str], list[ColumnPattern]]:
        """The patterns that name one column, by that column: there may be thousands."""
        patterns: dict[tuple[Name, str], list[ColumnPattern]] = {}
        for pattern in self.masks:
            if column := pattern.only_column:
                patterns.setdefault(column, []).append(pattern)
        return patterns

    @cached_property
    def _of_several(self) -> list[ColumnPattern]:
        """The patterns that may name several columns."""
        return [pattern for pattern in self.masks if not pattern.only_column]

    @cached_property
    def _reviewed(self) -> tuple[set[tuple[Name, str]], list[ColumnPattern]]:
        """The columns that were reviewed one by one, of which there may be thousands; patterns."""
        ones = {column for pattern in self.reviewed if (column := pattern.only_column)}
        return ones, [pattern for pattern in self.reviewed if not pattern.only_column]

    def rule_of(self, table: Name, column: str) -> tuple[ColumnPattern, MaskRule] | None:
        """Return the most exact rule for a column, with its pattern.

        Raises:
            ConfigurationError: two that are equally exact say different things.
        """
        matching = self._of_one.get((table, column)) or [
            each for each in self._of_several if each.matches(table, column)
        ]
        rules = [(pattern, self.masks[pattern]) for pattern in matching]
        return most_exact(rules, "mask", TableColumn(table, column))

    def is_reviewed(self, table: Name, column: str) -> bool:
        """Return whether a person has decided that a column stays as it is."""
        ones, several = self._reviewed
        return (table, column) in ones or any(each.matches(table, column) for each in several)

    def unmatched(self, columns: Iterable[tuple[Name, str]]) -> Iterator[str]:
        """Yield a clause for each pattern that names none of all columns."""
        known = set(columns)
        for rule, patterns in (("mask", tuple(self.masks)), ("reviewed", self.reviewed)):
            for pattern in patterns:
                only = pattern.only_column
                names = {only} & known if only else known
                if not any(pattern.matches(table, column) for table, column in names):
                    yield f'no column is named by "{pattern.text}" of the "{rule}" rule'
