"""Which columns follow a sub column: those that refer to it by foreign keys, and those named so."""

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from common.errors import ConfigurationError
from common.follow.rules import FollowRules
from common.json_paths import Path
from common.postgres.names import TableColumn


class Reference(NamedTuple):
    """A column that refers to another one by a foreign key, whose name is `key`.

    Tables are named by their partition roots.
    """

    key: str
    child: TableColumn
    parent: TableColumn


class Follower(NamedTuple):
    """A column that holds what a sub column holds; `because` says why, for the report.

    `paths` lead to the subs in a jsonb; none for a column that holds a sub, or an array of them.
    `is_named`: whether a rule names that column alone.
    """

    column: TableColumn
    followed: TableColumn
    because: str
    paths: tuple[Path, ...] = ()
    is_named: bool = False


def find_followers(
    followed: Collection[TableColumn],
    columns: Iterable[TableColumn],
    references: Collection[Reference],
    rules: FollowRules,
) -> dict[TableColumn, Follower]:
    """Return the columns that follow one of some sub columns, over any number of foreign keys.

    Args:
        followed: the sub columns.
        columns: all columns that may follow.
        references: the foreign keys between columns.
        rules: what the team named.

    Raises:
        ConfigurationError: a column would follow two sub columns, or two rules contradict, or a
            rule says of a column with a foreign key that it stays as it is.
    """
    known = set(columns)
    found: dict[TableColumn, Follower] = {}
    for column in sorted(known):
        rule = rules.rule_of(column)
        if rule and rule.followed and rule.followed in followed and column != rule.followed:
            found[column] = Follower(
                column,
                rule.followed,
                f'the rule "{rule.pattern.text}"',
                rule.paths,
                rule.pattern.is_exact,
            )
    while more := _by_keys(followed, known, references, found):
        found |= more
    _require_no_exception(found.values(), rules)
    return found


def _require_no_exception(found: Iterable[Follower], rules: FollowRules) -> None:
    """Refuse a rule by which a column would stay as it is, and break its foreign key."""
    for follower in found:
        rule = rules.rule_of(follower.column)
        if rule and rule.followed is None and rule.pattern.is_exact:
            raise ConfigurationError(
                f'The rule "follow" says null of {follower.column}, which cannot stay as it is: it'
                f" follows {follower.followed} by {follower.because}. Remove it from the rule."
            )


def _by_keys(
    followed: Collection[TableColumn],
    known: Collection[TableColumn],
    references: Collection[Reference],
    found: Mapping[TableColumn, Follower],
) -> dict[TableColumn, Follower]:
    """Return the columns that refer to a sub column or a follower, and are not found yet."""
    more: dict[TableColumn, Follower] = {}
    for key, child, parent in references:
        head = parent if parent in followed else found[parent].followed if parent in found else None
        if head is None or child not in known or child == head:
            continue
        before = found.get(child) or more.get(child)
        if before is None:
            more[child] = Follower(child, head, f"the foreign key {key} to {parent}")
        elif before.followed != head:
            raise ConfigurationError(
                f"{child} follows {before.followed} by {before.because}, and {head} by the foreign"
                f" key {key}: a column can follow one sub column only. Correct the rule"
                ' "follow".'
            )
    return more
