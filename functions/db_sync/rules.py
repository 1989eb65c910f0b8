"""The rules that a team gives a sync: what to leave alone, keep and mask; what follows a sub."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from common.errors import ConfigurationError
from common.follow.rules import FollowRules
from common.postgres.names import Name, split_name
from db_sync.mask.rules import MaskRules

TABLE_PARTS, COLUMN_PARTS = 2, 3
TABLE, COLUMN = "schema.table", "schema.table.column"
QUOTING = 'a name that contains a dot must be in double quotes, as in public."audit.2024"'
# For each kept column, the columns of "while_same"; none if it is kept in any case.
type KeptColumns = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class SyncRules:
    """Which tables are left alone or included, and which columns belong to the target.

    `event_triggers_ok`: whether the target's event triggers do no harm if our role cannot disable
    them. `parallel_query`: whether the servers read tables in parallel wherever they can; None: if
    their addresses differ.
    """

    exclude: frozenset[Name] = frozenset()
    include: frozenset[Name] = frozenset()
    keep: Mapping[Name, KeptColumns] = field(default_factory=dict)
    event_triggers_ok: bool = False
    masks: MaskRules = field(default_factory=MaskRules)
    follow: FollowRules = field(default_factory=FollowRules)
    parallel_query: bool | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the rules in a JSON text; an empty text means no rules.

        Raises:
            ConfigurationError: the text does not have this shape:
                {"exclude": ["schema.table"], "include": ["schema.table"],
                "keep": ["schema.table.column",
                {"column": "schema.table.column", "while_same": ["column"]}],
                "follow": {"schema.table.column": "schema.table.column"},
                "event_triggers_ok": true, "parallel_query": true}, and the fields of
                `MaskRules.parse`.
        """
        try:
            rules = json.loads(text or "{}", object_pairs_hook=_without_duplicates)
        except ValueError as error:
            raise ConfigurationError(f"The sync rules are not JSON: {error}.") from error
        if not isinstance(rules, dict) or not rules.keys() <= set(FIELDS):
            raise ConfigurationError(
                f"The sync rules must be a JSON object with the fields {_listed(FIELDS)} only."
            )
        exclude, include = _tables(rules, "exclude"), _tables(rules, "include")
        if both := exclude & include:
            raise ConfigurationError(
                f'The sync rules "exclude" and "include" both name'
                f" {', '.join(map(str, sorted(both)))}. Remove it from one of them."
            )
        return cls(
            exclude,
            include,
            _kept(rules),
            _switch(rules, "event_triggers_ok") or False,
            MaskRules.parse(rules),
            FollowRules.parse(rules.get("follow", {})),
            _switch(rules, "parallel_query"),
        )


def read_rules(path: Path | None) -> str:
    """Return the text of a file with rules; without a file there are none.

    Raises:
        ConfigurationError: the file cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8") if path else ""
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path} cannot be read: it is not in UTF-8.") from error
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}.") from error


FIELDS = (
    *("exclude", "include", "keep", "follow", "mask", "reviewed", "unreviewed"),
    *("event_triggers_ok", "parallel_query"),
)


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return a JSON object; of two fields of one name the first would be lost silently."""
    names = [name for name, _ in pairs]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ConfigurationError(
            f"The sync rules have {', '.join(twice)} twice in one object. Remove one of each."
        )
    return dict(pairs)


def _switch(rules: dict[str, Any], rule: str) -> bool | None:
    """Return a rule that is true or false; None if it is not there."""
    if rule not in rules:
        return None
    if not isinstance(rules[rule], bool):
        raise ConfigurationError(f'The sync rule "{rule}" must be true or false, without quotes.')
    return bool(rules[rule])


def _tables(rules: dict[str, Any], rule: str) -> frozenset[Name]:
    """Return the tables that a rule lists."""
    return frozenset(
        Name(*_split(entry, TABLE_PARTS, rule, TABLE)) for entry in _list(rules, rule, TABLE)
    )


def _kept(rules: dict[str, Any]) -> dict[Name, KeptColumns]:
    """Return the columns that belong to the target, by table."""
    kept: dict[Name, dict[str, tuple[str, ...]]] = {}
    for entry in _list(rules, "keep", COLUMN):
        path, while_same = _kept_entry(entry)
        schema, table, column = _split(path, COLUMN_PARTS, "keep", COLUMN)
        columns = kept.setdefault(Name(schema, table), {})
        if columns.get(column, while_same) != while_same:
            raise ConfigurationError(
                f'The sync rule "keep" names {path} twice, with other columns in "while_same".'
                " Remove one of the two."
            )
        columns[column] = while_same
    return dict(kept)


def _kept_entry(entry: object) -> tuple[object, tuple[str, ...]]:
    """Return an entry's column, and its `while_same`, which is empty in the short form."""
    if not isinstance(entry, dict):
        return entry, ()
    while_same = entry.get("while_same")
    if (
        entry.keys() != {"column", "while_same"}
        or not isinstance(while_same, list)
        or not while_same
        or not all(isinstance(column, str) and column for column in while_same)
    ):
        raise ConfigurationError(
            'An entry of the sync rule "keep" that is an object must be'
            ' {"column": "schema.table.column", "while_same": ["column"]}, with at least one column'
            " of the same table in while_same."
        )
    return entry["column"], tuple(while_same)


def _list(rules: dict[str, Any], rule: str, shape: str) -> list[object]:
    entries = rules.get(rule, [])
    if not isinstance(entries, list):
        raise ConfigurationError(f'The sync rule "{rule}" must be a list of "{shape}".')
    return entries


def _split(entry: object, parts: int, rule: str, shape: str) -> list[str]:
    """Return the parts of a name in a rule, of which there must be so many."""
    split = split_name(entry) if isinstance(entry, str) else []
    if len(split) != parts:
        raise ConfigurationError(f'The sync rule "{rule}" must be a list of "{shape}"; {QUOTING}.')
    return split


def _listed(fields: tuple[str, ...]) -> str:
    *first, last = (f'"{field}"' for field in fields)
    return f"{', '.join(first)} and {last}"
