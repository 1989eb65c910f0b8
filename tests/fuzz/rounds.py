"""A round: what is done to two databases, chosen by one seed before it starts."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Literal

from tests.fuzz import ddl
from tests.fuzz.drift import drift
from tests.fuzz.mutations import Mutator
from tests.fuzz.schemas import Table, make_schema

type Role = Literal["superuser", "setter", "owner"]
SOURCE, TARGET = 0, 1


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement for one side, which may fail.

    `is_past_keys`: it is executed without foreign keys and triggers.
    """

    side: int
    sql: str
    is_past_keys: bool = False


@dataclass(frozen=True, slots=True)
class Sync:
    """A sync, perhaps after a dry run."""

    is_tried_dry: bool


type Step = Statement | Sync


@dataclass(frozen=True, slots=True)
class Round:
    """A round's steps, and how the syncs in it are called.

    `servers` are the kinds of both sides' servers, `role` is the role that writes to the target.
    `is_large`: the engine treats small tables as large ones. `may_be_refused`: the sides differ in
    more than rows. `is_in_parts`: the syncs are done in parts, where that is possible.
    """

    seed: int
    servers: tuple[str, str]
    role: Role
    is_reader: bool
    is_large: bool
    rules: str
    steps: tuple[Step, ...]
    may_be_refused: bool
    is_in_parts: bool

    @property
    def owner(self) -> str:
        """The role that owns the target's tables."""
        return "postgres" if self.role == "superuser" else "fuzz_owner"

    @property
    def user(self) -> str:
        """The role that the sync uses on the target."""
        return {"superuser": "postgres", "setter": "fuzz_setter", "owner": "fuzz_owner"}[self.role]


def make_round(
    seed: int, kinds: Sequence[str], has_icu: str, *, is_in_parts: bool = False
) -> Round:
    """Return the round of a seed, with servers of the given kinds, one of which `has_icu`."""
    random = Random(seed)  # noqa: S311  # no secret
    server = random.choice(kinds)
    servers = (server, server) if random.random() < 0.8 else (server, random.choice(kinds))
    is_icu = set(servers) == {has_icu}
    role: Role = random.choice(("superuser", "owner", "owner", "setter"))
    is_reader, is_large = random.random() < 0.3, random.random() < 0.5
    tables = make_schema(random, has_icu=is_icu)
    if is_in_parts:
        role = "setter" if role == "owner" else role
        tables = [_checked_at_once(table) for table in tables]
    is_plain = random.random() < 0.3  # the sides differ only in rows
    rules = "" if is_plain or random.random() < 0.7 else _rules(random, tables)
    steps = tuple(_steps(random, tables, has_icu=is_icu, is_plain=is_plain))
    return Round(seed, servers, role, is_reader, is_large, rules, steps, not is_plain, is_in_parts)


def _checked_at_once(table: Table) -> Table:
    """Return a table without deferrable unique constraints, which parts refuse."""
    return replace(
        table,
        uniques=tuple(replace(unique, timing="") for unique in table.uniques),
        extras=tuple(extra.removesuffix(" DEFERRABLE") for extra in table.extras),
    )


def _rules(random: Random, tables: Sequence[Table]) -> str:
    """Return rules as JSON, perhaps with an excluded table or a kept column."""
    rules: dict[str, list[str]] = {}
    if random.random() < 0.6:
        rules["exclude"] = [table.name for table in random.sample(tables, 1)]
    if random.random() < 0.6:
        table = random.choice(tables)
        if table.name not in rules.get("exclude", []):
            rules["keep"] = [f"{table.name}.{random.choice(('u', 'n', 'c0'))}"]
    return json.dumps(rules, ensure_ascii=False)


def _steps(
    random: Random, tables: Sequence[Table], *, has_icu: bool, is_plain: bool
) -> Iterator[Step]:
    shuffling = random.getrandbits(32)
    for side in (SOURCE, TARGET):
        if not is_plain and random.random() < 0.3:
            shuffling = random.getrandbits(32)
        order = Random(shuffling)  # noqa: S311  # no secret
        for sql in ddl.create(tables, side, order, has_icu=has_icu):
            yield Statement(side, sql)
    mutator = Mutator(random, tables)
    for sql in mutator.insertions():
        yield from (Statement(side, sql) for side in (SOURCE, TARGET))
    for _ in range(0 if is_plain else random.choice((0, 1, 1, 2, 3))):
        side = random.choice((SOURCE, TARGET, TARGET))
        yield from (Statement(side, sql) for sql in drift(random, tables))
    for _ in range(random.choice((2, 3, 4))):
        yield from _changes(random, mutator, is_plain=is_plain)
        yield Sync(is_tried_dry=random.random() < 0.4)


def _changes(random: Random, mutator: Mutator, *, is_plain: bool) -> Iterator[Step]:
    """Yield changes of rows on one side or both, or none."""
    sides = random.choice(((SOURCE,), (TARGET,), (SOURCE, TARGET), (SOURCE, TARGET)))
    for _ in range(random.choice((0, 1, 3, 6, 15))):
        yield Statement(random.choice(sides), mutator.change())
    if not is_plain and random.random() < 0.25:
        for _ in range(random.randint(1, 3)):
            yield Statement(random.choice(sides), mutator.violation(), is_past_keys=True)
