"""Columns of the source that could hold subs, and that nobody has decided about."""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from common.follow.rules import FollowRules
from common.follow.substitution import Holds
from common.postgres.names import TableColumn
from db_sync.mask.kinds import CONSTANT
from db_sync.plan.catalog import Column, Type
from db_sync.plan.defined_types import ARRAY, TEXTS, element_of, without_domains
from db_sync.plan.mask_references import References
from db_sync.plan.tables import Plan, PlannedColumn, TablePlan

LENGTH = 36  # of a sub in Cognito: a uuid's text
UUID, JSONB = "uuid", "jsonb"
MODIFIER = re.compile(r"\((\d+)\)")
UNCOMPARABLE = CONSTANT | {"sql"}  # masks that do not say whether two columns hold the same


class Candidate(NamedTuple):
    """A column that could hold subs, and how it would."""

    table: TablePlan
    column: PlannedColumn
    holds: Holds

    @property
    def at(self) -> TableColumn:
        """Its name."""
        return TableColumn(self.table.name, self.column.name)


class Sub(NamedTuple):
    """A sub column; `is_uuid`: whether it is one on the source."""

    table: TablePlan
    column: PlannedColumn
    is_uuid: bool

    @property
    def at(self) -> TableColumn:
        """Its name."""
        return TableColumn(self.table.name, self.column.name)

    def is_comparable(self, other: Candidate) -> bool:
        """Return whether the other column arrives with the same subs if it holds the same.

        Masks of one rule make equal values equal; otherwise a mask takes the subs out of one.
        """
        ours, theirs = (each.column.mask for each in (self, other))
        if ours is None or theirs is None:
            return ours is theirs
        return ours.rule == theirs.rule and ours.rule.kind not in UNCOMPARABLE


def find_subs(plan: Plan, rules: FollowRules) -> list[Sub]:
    """Return the sub columns: kept or in a key, by the person; or followed by a rule."""
    found = []
    followed = rules.followed
    for table in plan.tables:
        of_persons = table.while_same.keys() | table.keyed_by.keys()
        for column in table.sent:
            at = TableColumn(table.name, column.name)
            if column.name in of_persons or at in followed:
                source = table.source.columns[column.name]
                if _holds(source, plan.catalogs.source.types) == "sub":
                    bare = without_domains(source, plan.catalogs.source.types)
                    found.append(Sub(table, column, bare.base_type == UUID))
    return found


def find_candidates(plan: Plan, rules: FollowRules, subs: Sequence[Sub]) -> Iterator[Candidate]:
    """Yield the columns that could hold subs, as far as our role may read them.

    Not those that a rule names, nor those that refer to a synced column: what that one does, they
    do too. Nor the key of a sub column's table, by which its rows are the same on both sides.
    """
    references = References(plan)
    are_subs = {sub.at for sub in subs}
    with_sub = {sub.table.name for sub in subs}
    for table in plan.tables:
        if not table.source.rights.may_read_all:
            continue
        key = table.target.key if table.name in with_sub else ()
        for column in table.compared:
            at = TableColumn(table.name, column.name)
            if at in are_subs or column.name in key:
                continue
            holds = _holds(table.source.columns[column.name], plan.catalogs.source.types)
            if holds and references.heads(at) == {at} and not rules.rule_of(at):
                yield Candidate(table, column, holds)


def key_like(sub: Sub, types: dict[str, Type]) -> list[str]:
    """Return the columns of the key of a sub column's table that could hold subs too."""
    columns = sub.table.source.columns
    return [
        name
        for name in sub.table.target.key
        if name != sub.column.name and _holds(columns[name], types) == "sub"
    ]


def _holds(column: Column, types: dict[str, Type]) -> Holds | None:
    """Return how a column could hold subs; None if it could not."""
    bare = without_domains(column, types)
    if bare.base_type == JSONB:
        return "json"
    is_array = bare.base_type.endswith(ARRAY)
    innermost = element_of(bare, types) if is_array else bare
    defined = types.get(innermost.base_type)
    name = defined.name if defined and defined.extension else innermost.base_type
    length = MODIFIER.search(innermost.type)
    is_short = name != UUID and length is not None and int(length[1]) < LENGTH
    if is_short or name not in TEXTS | {UUID}:
        return None
    return "array" if is_array else "sub"
