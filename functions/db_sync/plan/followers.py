"""Puts into a plan which columns follow a sub column, and whose people each sub column has.

A sub column is one that the target keeps: its values are staging's own. Every column that refers to
it by a foreign key, and every one that the rule "follow" names, holds what it holds.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import NamedTuple

from common.errors import ConfigurationError
from common.follow.followers import Follower, find_followers
from common.follow.rules import FollowRules
from common.follow.substitution import Holds, SubColumn
from common.postgres.names import TableColumn
from db_sync.plan.catalog import Catalogs, Following, TypeName
from db_sync.plan.defined_types import ARRAY, TEXTS, innermost_type, without_domains
from db_sync.plan.left_alone import EXCLUDED
from db_sync.plan.mask_references import References
from db_sync.plan.tables import People, Plan, PlannedColumn, TablePlan

UUID = "uuid"
MAY_FOLLOW = "only a text, a uuid, an array of these, or jsonb with paths can"


class _Head(NamedTuple):
    """A sub column that others may follow."""

    people: People
    as_type: str


def plan_followers(plan: Plan, rules: FollowRules) -> None:
    """Put the followers into the plan's tables, with whatever forbids the sync."""
    heads = _find_heads(plan)
    synced = [TableColumn(table.name, each.name) for table in plan.tables for each in table.sent]
    plan.configuration_errors += _without_people(plan, rules, synced, heads)
    if not heads:
        return
    kept = {TableColumn(table.name, each.name) for table in plan.tables for each in table.kept}
    try:
        found = find_followers(heads, synced, References(plan).all, rules)
    except ConfigurationError as error:
        plan.configuration_errors.append(error.message)
        return
    for column in sorted(found.keys() & kept):
        if found.pop(column).is_named:
            plan.configuration_errors.append(
                f'{column} is named in "keep" and in "follow": remove it from one of the two.'
            )
    for head, each in heads.items():
        if each.people.found_by:
            found[head] = Follower(head, head, "the rule of keep, as the key of its table")
    _Assignment(plan, heads, found).put()


def _find_heads(plan: Plan) -> dict[TableColumn, _Head]:
    """Return the sub columns of the plan's tables."""
    heads: dict[TableColumn, _Head] = {}
    for table in plan.tables:
        if not table.has_key:
            continue
        keyed = [column for column in table.compared if column.name in table.keyed_by]
        for column in (*table.kept, *keyed):
            held = _held_type(column, plan.catalogs)
            if held is not None and held.holds == "sub":
                people = People(table, column, table.keyed_by.get(column.name))
                heads[people.column] = _Head(people, held.type)
    return heads


def _without_people(
    plan: Plan,
    rules: FollowRules,
    synced: Collection[TableColumn],
    heads: Collection[TableColumn],
) -> Iterator[str]:
    """Yield a sentence for each sub column of which it is unknown who has which sub in staging.

    One that is not kept has production's subs, and so has what follows it.
    """
    tables = {table.name: table for table in plan.tables}
    following = {rule.followed for each in synced if (rule := rules.rule_of(each))}
    for column in sorted(each for each in following if each and each not in heads):
        table = tables.get(column.table)
        why = None
        if plan.left_alone.get(column.table) == EXCLUDED:
            why = f"{column.table} is excluded from the sync"
        elif table and not table.has_key and column.column in table.target_values:
            why = f"{column.table} has no key"
        if why:
            yield (
                f'Columns that are synced follow {column} by the rule "follow", but {why}, so that'
                " it is unknown which person of production is which of staging."
            )


class _Held(NamedTuple):
    """How a column holds subs, and of which type: text or uuid."""

    holds: Holds
    type: str


def _held_type(column: PlannedColumn, catalogs: Catalogs) -> _Held | None:
    """Return how a column of the target may hold subs; None if it cannot."""
    types = catalogs.target.types
    of = TypeName(column.type, column.base_type)
    bare = without_domains(of, types).base_type
    if bare == "jsonb":
        return _Held("json", "text")
    innermost = innermost_type(of, types)
    defined = types.get(innermost.base_type)
    name = defined.name if defined and defined.extension else innermost.base_type
    if innermost.array_levels > 1 or name not in TEXTS | {UUID}:
        return None
    return _Held("array" if bare.endswith(ARRAY) else "sub", UUID if name == UUID else "text")


class _Assignment:
    """Gives each follower's column what the comparison and the writing need of it."""

    def __init__(
        self,
        plan: Plan,
        heads: Mapping[TableColumn, _Head],
        followers: Mapping[TableColumn, Follower],
    ) -> None:
        self._plan = plan
        self._heads = heads
        self._followers = followers
        self._columns = {
            TableColumn(table.name, column.name): column
            for table in plan.tables
            for column in table.compared
        }
        self._held: dict[TableColumn, SubColumn] = {}
        followed = {follower.followed for follower in followers.values()}
        self._numbers = {head: number for number, head in enumerate(sorted(followed))}

    def put(self) -> None:
        """Put everything into the plan."""
        for column, follower in self._followers.items():
            if why := self._misfit(column, follower):
                self._plan.configuration_errors.append(
                    f"{column} follows {follower.followed} by {follower.because}, but {why}."
                )
        self._plan.people = tuple(self._people(head) for head in self._numbers)
        self._plan.followers = tuple(self._followers[each] for each in sorted(self._held))
        self._plan.tables[:] = [self._with_followers(table) for table in self._plan.tables]

    def _misfit(self, column: TableColumn, follower: Follower) -> str | None:
        """Note how a follower holds subs; return why it cannot follow, if so."""
        planned = self._columns[column]
        held = _held_type(planned, self._plan.catalogs)
        if held is None:
            return f"it is {planned.type}: {MAY_FOLLOW}"
        if (held.holds == "json") != bool(follower.paths):
            return (
                'it is jsonb: name the "paths" to its subs in the rule'
                if held.holds == "json"
                else f'it is {planned.type}, and only jsonb has "paths"'
            )
        sub = self._heads[follower.followed].people.sub
        ours, theirs = (each.mask.rule if each.mask else None for each in (planned, sub))
        if ours != theirs and (ours is None or ours.kind != "null"):
            return (
                f"it is {'masked as ' + str(ours) if ours else 'not masked'}, and the sub column is"
                f" {'masked as ' + str(theirs) if theirs else 'not'}: give both the same mask"
            )
        self._held[column] = SubColumn(
            planned.name, held.holds, is_uuid=held.type == UUID, paths=follower.paths
        )
        return None

    def _with_followers(self, table: TablePlan) -> TablePlan:
        following: list[Following] = []
        compared: list[PlannedColumn] = []
        for column in table.compared:
            at = TableColumn(table.name, column.name)
            if at not in self._held:
                compared.append(column)
                continue
            as_sent = f"staging_sync_as_sent_{len(following)}"
            number = self._numbers[self._followers[at].followed]
            following.append(Following(self._held[at], as_sent, people_table(number)))
            compared.append(replace(column, as_sent=as_sent))
        return replace(
            table,
            target=replace(table.target, following=tuple(following)),
            compared=tuple(compared),
            kept=self._kept(table),
        )

    def _people(self, head: TableColumn) -> People:
        """Return the people with users as they are written, so that both decide alike."""
        people = self._heads[head].people
        users = replace(people.users, kept=self._kept(people.users))
        return replace(people, users=users, sub=self._as_followed(users, people.sub))

    def _kept(self, table: TablePlan) -> tuple[PlannedColumn, ...]:
        return tuple(self._as_followed(table, column) for column in table.kept)

    def _as_followed(self, table: TablePlan, column: PlannedColumn) -> PlannedColumn:
        """Return a column; one that others follow with the type that a lost sub gets."""
        head = TableColumn(table.name, column.name)
        if head not in self._numbers:
            return column
        types = {self._heads[head].as_type} | {
            UUID if held.is_uuid else "text"
            for at, held in self._held.items()
            if self._followers[at].followed == head
        }
        return replace(column, followed_as="uuid" if UUID in types else "text")


def people_table(number: int) -> str:
    """Return the temporary table of the people of a sub column, by its place in `Plan.people`."""
    return f"staging_sync_people_{number}"
