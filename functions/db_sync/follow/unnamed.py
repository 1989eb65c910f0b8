"""Finds columns that hold subs and follow no sub column, since nobody named them.

One value that is somebody's sub is proof enough: it is a uuid, which does not occur twice by
chance.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from common.follow.rules import FollowRules
from common.postgres.database import Session
from common.postgres.names import Name, TableColumn, join_name
from db_sync.follow.candidates import Candidate, Sub, find_candidates, find_subs, key_like
from db_sync.follow.counting import Counting
from db_sync.follow.documents import sub_paths
from db_sync.plan.tables import Plan


class Unnamed(NamedTuple):
    """A column that holds subs of a sub column and does not follow it.

    `values`: how many different values were looked at; `subs`: how many of them are subs.
    `are_keys`: whether some of these are keys of the sub column's table too, to which the column
    may refer instead. `paths` lead to the subs in a jsonb, as far as they may be shown.
    """

    column: TableColumn
    followed: TableColumn
    values: int
    subs: int
    are_keys: bool = False
    is_json: bool = False
    paths: tuple[str, ...] = ()

    @property
    def rule(self) -> object:
        """What the rule "follow" would say of it, as JSON."""
        followed = join_name(*self.followed.table, self.followed.column)
        return {"column": followed, "paths": list(self.paths)} if self.is_json else followed

    @property
    def has_rule(self) -> bool:
        """Whether that rule is complete: without paths a person has to look for them."""
        return bool(self.paths) or not self.is_json

    @property
    def because(self) -> str:
        """Why it is taken for one, for a person."""
        return f"{self.subs} of {self.values} sampled values are subs of {self.followed}"


@dataclass(slots=True)
class Found:
    """What was found, in the tables' order; `unseen`: tables that took too long to look at."""

    columns: list[Unnamed] = field(default_factory=list)
    unseen: set[Name] = field(default_factory=set)


def find_unnamed(source: Session, plan: Plan, rules: FollowRules) -> Found:
    """Find columns of the source that hold subs, follow no sub column, and are in no rule.

    Args:
        source: in a transaction, prepared for a comparison.
        plan: of the sync, with its masks.
        rules: the rule "follow".
    """
    found = Found()
    subs = [sub for sub in find_subs(plan, rules) if sub.table.source.rights.may_read_all]
    candidates = list(find_candidates(plan, rules, subs)) if subs else []
    order = {each.at: number for number, each in enumerate(candidates)}
    for sub in subs:
        comparable = [each for each in candidates if sub.is_comparable(each)]
        counting = Counting(source, sub, key_like(sub, plan.catalogs.source.types))
        if comparable:
            found.columns += _of_sub(source, sub, counting, comparable)
            found.unseen |= counting.slow
    found.columns.sort(key=lambda each: order[each.column])
    return found


def _of_sub(
    source: Session, sub: Sub, counting: Counting, candidates: list[Candidate]
) -> Iterator[Unnamed]:
    """Yield the columns that hold subs of one sub column."""
    for count in counting.count(candidates):
        if count.subs:
            candidate = candidates[count.number]
            is_json = candidate.holds == "json"
            yield Unnamed(
                candidate.at,
                sub.at,
                count.values,
                count.subs,
                count.are_keys,
                is_json,
                sub_paths(source, counting, candidate) if is_json else (),
            )
