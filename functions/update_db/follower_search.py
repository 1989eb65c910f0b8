"""Finding the columns that follow the sub column: by foreign keys, and by the rule "follow".

Partitions are part of their partitioned table, whichever of them a foreign key is declared on.
"""

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from common.errors import ConfigurationError
from common.follow.followers import Follower, Reference, find_followers
from common.follow.rules import FollowRules
from common.follow.substitution import Holds, SubColumn
from common.postgres.database import Session
from common.postgres.foreign_keys import ForeignKey, read_foreign_keys
from common.postgres.names import Name, TableColumn
from common.postgres.queries import load_query
from update_db.followers import Followers, FollowingColumn, FollowingKey
from update_db.users_table import UsersTable

type Roots = Mapping[int, Name]  # the names of tables, by the oids of their partition roots
JSON: Holds = "json"


def parse_follow(text: str) -> FollowRules:
    """Return the rules in FOLLOW, which is the sync's rule "follow" as JSON.

    Raises:
        ConfigurationError: it is malformed.
    """
    try:
        value = json.loads(text)
    except ValueError:
        raise ConfigurationError("FOLLOW is no JSON. Deploy again.") from None
    return FollowRules.parse(value)


def read_followers(target: Session, users: UsersTable, rules: FollowRules) -> Followers:
    """Return the columns that follow the sub column.

    Raises:
        ConfigurationError: a rule names no column, or one that cannot follow.
    """
    own = TableColumn(users.name, users.sub_column)
    columns = {column.full_name: column for column in _read_columns(target, users.name)}
    _require_matched(rules, own, columns)
    roots = {column.table_oid: column.full_name.table for column in columns.values()}
    roots |= _root_of(target, users.name)
    keys = read_foreign_keys(target)
    references = [reference for key in keys for reference in _references(key, roots)]
    found = find_followers({own}, columns, references, rules)
    if not found:
        return Followers(own)
    _require_able(found, columns)
    followers = tuple(
        _column(number, columns[name], follower)
        for number, (name, follower) in enumerate(sorted(found.items()))
    )
    followed = {own, *found}
    return Followers(
        own,
        columns=followers,
        keys=tuple(_keys_among(followed, columns, keys, roots)),
        holds_uuids=any(columns[name].is_uuid for name in followed),
    )


@dataclass(frozen=True, slots=True)
class _Column:
    """A column of a table, see list_columns.sql."""

    table_oid: int
    schema: str
    table_name: str
    is_partitioned: bool
    name: str
    type: str
    holds: Holds | Literal[""]
    is_uuid: bool
    is_generated: bool
    is_exact: bool

    @property
    def full_name(self) -> TableColumn:
        return TableColumn(Name(self.schema, self.table_name), self.name)


def _read_columns(target: Session, users: Name) -> list[_Column]:
    query = load_query("update_db", "list_columns")
    return target.records(query, {"schema": users.schema, "table": users.name}, _Column)


def _root_of(target: Session, users: Name) -> dict[int, Name]:
    """Return the oid by which foreign keys name the users table, which may be a partition."""
    found = target.rows(
        "SELECT coalesce(pg_partition_root(oid)::oid, oid)"
        " FROM pg_class WHERE oid = to_regclass(%s)",
        [target.quoted(users.identifier)],
    )
    return {root: users for (root,) in found}


def _references(key: ForeignKey, roots: Roots) -> Iterator[Reference]:
    """Yield a foreign key's pairs of columns, in the tables that partitions belong to."""
    if key.child_root in roots and key.parent_root in roots:
        for pair in key.pairs:
            yield Reference(
                key.name,
                TableColumn(roots[key.child_root], pair.child),
                TableColumn(roots[key.parent_root], pair.parent),
            )


def _keys_among(
    followed: Collection[TableColumn],
    columns: Mapping[TableColumn, _Column],
    keys: list[ForeignKey],
    roots: Roots,
) -> Iterator[FollowingKey]:
    """Yield the enforced keys by which one of some columns refers to another one."""
    for key in keys:
        ends = [
            (pair, child, parent)
            for pair, (_, child, parent) in zip(key.pairs, _references(key, roots), strict=False)
            if {child, parent} <= {*followed}
        ]
        if ends and key.is_enforced:
            yield FollowingKey(
                key,
                pairs=tuple(pair for pair, _, _ in ends),
                is_exact=all(columns[end].is_exact for _, *both in ends for end in both),
                child_table=roots[key.child_root],
                parent_table=roots[key.parent_root],
            )


def _column(number: int, column: _Column, follower: Follower) -> FollowingColumn:
    if not column.holds:
        raise RuntimeError(f"{column.full_name} cannot hold a sub.")  # see `_require_able`
    return FollowingColumn(
        number=number,
        name=column.full_name,
        sub=SubColumn(column.name, column.holds, column.is_uuid, follower.paths),
        is_partitioned=column.is_partitioned,
        is_generated=column.is_generated,
    )


def _require_matched(
    rules: FollowRules, own: TableColumn, columns: Collection[TableColumn]
) -> None:
    """Refuse rules for the sub column that name nothing; those for others are not about it."""
    about_it = FollowRules(tuple(rule for rule in rules.rules if rule.followed == own))
    faults = list(about_it.unmatched(columns))
    if faults:
        raise ConfigurationError(
            f"The sync rules cannot be followed in the target: {'; '.join(faults)}. Correct the"
            " rule in cdk.json and deploy, or run the migrations. Nothing was written."
        )


def _require_able(
    found: Mapping[TableColumn, Follower], columns: Mapping[TableColumn, _Column]
) -> None:
    """Refuse columns that cannot follow."""
    faults = [
        f"{name} {fault}, but follows {follower.followed} by {follower.because}"
        for name, follower in sorted(found.items())
        if (fault := _fault(columns[name], follower))
    ]
    if faults:
        raise ConfigurationError(
            f'Columns cannot follow a sub: {"; ".join(faults)}. Correct the rule "follow" in'
            " cdk.json and deploy. Nothing was written."
        )


def _fault(column: _Column, follower: Follower) -> str:
    """Return why a column cannot follow, and what can be done; "" if it can."""
    if column.is_generated and follower.is_named:
        return "is generated, so that it cannot be written (name the columns it is generated from)"
    if follower.paths and column.holds != JSON:
        return f"is {column.type} and no jsonb, which alone has paths (name it without paths)"
    if column.holds == JSON and not follower.paths:
        return f"is {column.type}, in which the rule has to name the paths that lead to subs"
    if not column.holds:
        return (
            f"is {column.type}, which holds no sub (it must be a text, a uuid, an array of these,"
            " or jsonb with paths)"
        )
    return ""
