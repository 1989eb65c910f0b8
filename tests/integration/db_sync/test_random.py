"""Random tables, rows and edits: a sync makes both sides identical, a second changes nothing.

`RANDOM_EXAMPLES=200 pytest …/test_random.py` tries that many new ones; without it they are always
the same.
"""

import contextlib
import io
import json
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, event, given, note, settings
from hypothesis import strategies as st

from common.reports.sync import SyncResult
from db_sync.rules import SyncRules
from db_sync.run import SyncOptions
from db_sync.sync import sync_database
from sandbox.database import Database
from tests.integration.db_sync.random_rows import (
    UNLINKED,
    Sides,
    expected,
    insert,
    random_sides,
    targets_columns,
)
from tests.integration.db_sync.random_tables import (
    KEYS,
    VALUES,
    Table,
    copied_columns,
    create,
    quoted,
    random_tables,
)
from tests.integration.db_sync.syncing import assert_same, own_tables, sync
from tests.support.databases import Databases, Pair
from tests.support.small_limits import tuning

EXAMPLES = int(os.environ.get("RANDOM_EXAMPLES", "0"))
SETTINGS = settings(
    deadline=None,
    derandomize=not EXAMPLES,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,  # each example empties it first
        HealthCheck.too_slow,  # other tests run on the machine at the same time
    ],
)


@pytest.fixture
def pair(databases: Databases) -> Pair:
    """Two empty databases, which each example refills: that is faster than creating them."""
    return databases.pair("")


@st.composite
def typed_tables(draw: st.DrawFn) -> tuple[str, str, str]:
    """Return a table's definition, and the rows of source and target as INSERTs."""
    types = draw(st.lists(st.sampled_from(sorted(VALUES)), min_size=1, max_size=5))
    kinds = ["by value", "by hash", "none"]
    if types[0] != "json":  # a json column cannot be in an index
        kinds.append("composite")
    kind = draw(st.sampled_from(kinds))
    key = {"by value": "id int PRIMARY KEY", "by hash": "id text PRIMARY KEY"}.get(kind, "id int")
    columns = [key, *(f"c{number} {of_type}" for number, of_type in enumerate(types))]
    if kind == "composite":
        columns[1] += " NOT NULL"
        columns.append("PRIMARY KEY (id, c0)")
    row = st.tuples(*(VALUES[of_type] for of_type in types)).map(", ".join)
    rows = st.dictionaries(st.integers(-200, 200), row, max_size=25)
    source = draw(rows)
    target = {
        key: draw(st.sampled_from([source.get(key, value), value]))
        for key, value in draw(rows).items()
    }
    return f"CREATE TABLE t ({', '.join(columns)})", _insert(source), _insert(target)


def _insert(rows: dict[int, str]) -> str:
    return "".join(f"INSERT INTO t VALUES ('{key}', {row});" for key, row in rows.items())


@settings(SETTINGS, max_examples=EXAMPLES or 6)
@given(table=typed_tables())
def test_any_table_becomes_identical_and_a_second_sync_writes_nothing(
    pair: Pair, table: tuple[str, str, str]
) -> None:
    definition, source, target = table
    fill(pair, f"{definition};{source}", f"{definition};{target}")

    sync(pair)

    assert_same(pair)
    assert sync(pair).status == "unchanged"


@dataclass(frozen=True, slots=True)
class Diverged:
    """Tables whose two sides diverged.

    `is_owner`: the role that syncs only owns them; `is_large`: the engine treats them as large.
    """

    tables: list[Table]
    sides: Sides
    is_owner: bool
    is_large: bool


@st.composite
def diverged_tables(draw: st.DrawFn) -> Diverged:
    tables = draw(random_tables())
    return Diverged(tables, draw(random_sides(tables)), draw(st.booleans()), draw(st.booleans()))


@settings(SETTINGS, max_examples=EXAMPLES or 24)
@given(diverged=diverged_tables())
def test_tables_that_diverged_follow_the_source_and_keep_the_targets_own_values(
    pair: Pair, diverged: Diverged
) -> None:
    tables, sides = diverged.tables, diverged.sides
    source = f"{create(tables, is_target=False)};{insert(tables, sides.source, is_target=False)}"
    target = f"{create(tables, is_target=True)};{insert(tables, sides.target, is_target=True)}"
    note(f"source: {source}")
    note(f"target: {target}")
    fill(pair, source, target)
    before = Dumps.of(pair, tables)

    first, second = sync_twice(pair, diverged)

    after = Dumps.of(pair, tables)
    assert after.target == after.source == before.source
    assert first.status == ("synced" if before.source != before.target else "unchanged")
    for number, table in enumerate(tables):
        assert_counted(first, table, before.source[number], before.target[number])
        assert_targets_own(pair.target, diverged, number, before)
    assert second.status == "unchanged"


def sync_twice(pair: Pair, diverged: Diverged) -> list[SyncResult]:
    """Sync twice as the example says, and check that the target's schema is unchanged."""
    kept = [f"public.{table.name}.kept" for table in diverged.tables if table.kept]
    rules = SyncRules.parse(json.dumps({"keep": kept}))
    options = SyncOptions("test", rules, tuning=tuning(is_large=diverged.is_large))
    role = own_tables(pair, "table_owner") if diverged.is_owner else pair.target.address
    schema = pair.target.schema()
    results = [sync_database(pair.source.address, role, options) for _ in range(2)]
    assert pair.target.schema() == schema
    return results


def fill(pair: Pair, source: str, target: str) -> None:
    """Give both databases new contents."""
    for database, contents in zip(pair, (source, target), strict=True):
        database.execute(f"DROP SCHEMA public CASCADE; CREATE SCHEMA public; {contents}")


@dataclass(frozen=True, slots=True)
class Dumps:
    """The copied columns of each table as sorted lines, on both sides."""

    source: list[list[str]]
    target: list[list[str]]

    @classmethod
    def of(cls, pair: Pair, tables: Sequence[Table]) -> "Dumps":
        return cls(*(list(_dump(database, tables)) for database in pair))


def _dump(database: Database, tables: Sequence[Table]) -> Iterator[list[str]]:
    with contextlib.closing(database.connect()) as connection, connection.cursor() as cursor:
        for table in tables:
            lines = io.StringIO()
            columns = ", ".join(copied_columns(tables, table))
            cursor.copy_expert(
                f"COPY (SELECT {columns} FROM {quoted(table.name)}) TO STDOUT", lines
            )
            yield sorted(lines.getvalue().split("\n")[:-1])


def assert_counted(result: SyncResult, table: Table, source: list[str], target: list[str]) -> None:
    """Check that the result's counts are those of the rows that differ, by their keys."""
    (found,) = (found for found in result.tables if found.table == f"public.{table.name}")
    event(found.reason)  # pytest --hypothesis-show-statistics
    if found.action == "none":
        assert source == target
    elif table.key == "none":
        ours, theirs = Counter(source), Counter(target)
        assert (found.rows_inserted, found.rows_updated, found.rows_deleted) == (
            (ours - theirs).total(),
            0,
            (theirs - ours).total(),
        )
    else:
        left, right = _by_key(table, source), _by_key(table, target)
        updated = [key for key in left.keys() & right.keys() if left[key] != right[key]]
        assert (found.rows_inserted, found.rows_updated, found.rows_deleted) == (
            len(left.keys() - right.keys()),
            len(updated),
            len(right.keys() - left.keys()),
        )


def _by_key(table: Table, lines: list[str]) -> dict[tuple[str, ...], str]:
    return {tuple(line.split("\t")[: len(KEYS[table.key])]): line for line in lines}


def assert_targets_own(target: Database, diverged: Diverged, number: int, before: Dumps) -> None:
    """Check that the columns that are not copied have the values of the plain model."""
    table = diverged.tables[number]
    columns = ", ".join(f"{column}::text" for column in targets_columns(table))
    found = [
        tuple(UNLINKED if value and value.startswith(UNLINKED) else value for value in row)
        for row in target.rows(f"SELECT {columns} FROM {quoted(table.name)}")
    ]
    wanted = expected(
        table,
        diverged.sides.source[number],
        diverged.sides.target[number],
        is_changed=before.source[number] != before.target[number],
    )
    assert sorted(found, key=repr) == sorted(wanted, key=repr)
