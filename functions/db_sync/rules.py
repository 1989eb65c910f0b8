"""The rules that a team gives the sync: what to leave alone, and what belongs to the target."""

import json
from dataclasses import dataclass, field
from typing import Self

from common.errors import ConfigurationError
from common.names import Name

KEEP_PARTS = 3  # schema.table.column


@dataclass(frozen=True, slots=True)
class SyncRules:
    """Which tables are left alone, and which columns belong to the target."""

    exclude: frozenset[Name] = frozenset()
    keep: dict[Name, frozenset[str]] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the rules in a JSON text; an empty text is no rules.

        Raises:
            ConfigurationError: it is not of the shape
                {"exclude": ["schema.table"], "keep": ["schema.table.column"]}.
        """
        try:
            rules = json.loads(text or "{}")
        except ValueError as error:
            raise ConfigurationError(f"The sync rules are not JSON: {error}.") from error
        if not isinstance(rules, dict) or not rules.keys() <= {"exclude", "keep"}:
            raise ConfigurationError(
                'The sync rules must be a JSON object with the fields "exclude" and "keep" only.'
            )
        keep: dict[Name, frozenset[str]] = {}
        for schema, table, column in _names(rules, "keep", KEEP_PARTS):
            name = Name(schema, table)
            keep[name] = keep.get(name, frozenset()) | {column}
        exclude = frozenset(
            Name(schema, table) for schema, table in _names(rules, "exclude", KEEP_PARTS - 1)
        )
        return cls(exclude, keep)


def _names(rules: dict[str, object], rule: str, parts: int) -> list[list[str]]:
    """Return a rule's entries, each split at its dots."""
    entries = rules.get(rule, [])
    shape = "schema.table" if parts < KEEP_PARTS else "schema.table.column"
    if not isinstance(entries, list) or not all(
        isinstance(entry, str) and len(entry.split(".")) == parts and all(entry.split("."))
        for entry in entries
    ):
        raise ConfigurationError(f'The sync rule "{rule}" must be a list of "{shape}".')
    return [entry.split(".") for entry in entries]
