"""Two rows have the same hash if and only if they are identical as text, on every server.

`RANDOM_EXAMPLES=200 pytest …/test_row_hash.py` tries that many new ones.
"""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg2 import sql

from common.postgres.database import Session, connect
from db_sync.compare.row_hash import row_hash
from db_sync.plan.catalog import Catalogs
from db_sync.plan.catalog_reading import read_catalog
from db_sync.plan.planning import make_plan
from db_sync.plan.tables import PlannedColumn
from db_sync.rules import SyncRules
from db_sync.statements import target_value
from tests.integration.db_sync.mask_values import LETTERS
from tests.integration.db_sync.random_tables import quoted
from tests.integration.db_sync.test_random import EXAMPLES, SETTINGS
from tests.support.databases import Databases, system_programs

# The servers of the system's tests, which one process of a parallel run starts.
pytestmark = pytest.mark.xdist_group("server programs")

type Values = tuple[str | None, ...]

SCHEMA = """
CREATE TYPE mood AS ENUM ('', 'ok', 'OK', 'so "so"');
CREATE TYPE pair AS (x int, y text);
CREATE DOMAIN amount AS numeric(12, 2);
CREATE DOMAIN amounts AS numeric[];
CREATE DOMAIN feeling AS mood;
CREATE DOMAIN ratio AS float8;
"""
INTEGERS = ["0", "1", "-1", "2", "10000", "30000"]
NUMBERS = [*INTEGERS, "NaN", "-19", "19", "1e4", "0.5", "-0.5"]
FLOATS = [*NUMBERS, "-0", "Infinity", "-Infinity", "1e-30", "1.0000001"]
NUMERICS = [*FLOATS, "0.0", "0.00", "1.0", "1.00", "-19.00", "19.00", "1e8", "1e80", "-1e-80"]
MOMENTS = ["infinity", "-infinity", "2000-01-01", "2000-01-02", "0044-03-15 BC", "1970-01-01"]
LISTS = ["{}", "{NULL}", "{NULL,NULL}", "{1}", "{1,2}", "{2,1}", "{{1,2}}", "{{1},{2}}"]
LISTS += ["[0:1]={1,2}", "[2:2]={1}", "{1,NULL}", "{NULL,1}", "{0}", "{-1}"]
TEXTS = ["", " ", "a", "A", "a ", "0", "é", "e\u0301"]
ADDRESSES = ["10.0.0.0", "10.0.0.0/8", "10.0.0.0/9", "::", "::/0", "::10.0.0.0"]
# Values of each type that something takes for the same, or that cancel out.
TRAPS: dict[str, list[str]] = {
    '"char"': ["", "a", "A", r"\200", r"\377"],
    "amount": [*NUMBERS, "0.01"],
    "amounts": LISTS,
    "bigint": [*INTEGERS, "4294967296", "-4294967297", "4294967295", "9223372036854775807"],
    "bigint[]": [*LISTS, "{4294967296}", "{4294967295}"],
    "bit varying": ["", "0", "00", "1"],
    "boolean": ["t", "f"],
    "boolean[]": ["{}", "{t}", "{f}", "{NULL}"],
    "bpchar": TEXTS,
    "bytea": ["", r"\x00", r"\x0000", r"\x61"],
    "char(3)": ["", "a", "A", "b"],
    "cidr": ["10.0.0.0/8", "10.0.0.0", "10.0.0.0/9", "::/0", "::"],
    "date": MOMENTS,
    "double precision": [*FLOATS, "5e-324", "1.0000000000000002"],
    "double precision[]": [*LISTS, "{-0}", "{NaN}"],
    "feeling": ["", "ok", "OK", 'so "so"'],
    "inet": [*ADDRESSES, "10.0.0.1/8"],
    "integer": INTEGERS,
    "integer[]": LISTS,
    "interval": ["1 month", "30 days", "720 hours", "0", "-1 day +24:00", "1 us", "-1 us"],
    "json": ["0", "0.0", "{}", "{ }", '{"a":1,"a":2}'],
    "jsonb": ["0", "0.0", "1", "1.0", "-1", "{}", "[]", "[[]]", '{"a": 10000}', '{"a": 1}'],
    "macaddr": ["00:00:00:00:00:00", "08:00:2b:01:02:03", "08:00:2b:01:02:04"],
    "macaddr8": ["00:00:00:00:00:00:00:00", "08:00:2b:01:02:03:04:05"],
    "mood": ["", "ok", "OK", 'so "so"'],
    "mood[]": ["{}", "{ok}", "{NULL}", '{""}'],
    "name": TEXTS,
    "numeric": NUMERICS,
    "numeric(12,2)": [*NUMBERS, "0.01", "-0.01"],
    "numeric(40,30)": [*NUMBERS, "1e-30"],
    "numeric[]": [*LISTS, "{1.0}", "{1.00}", "{-1.0}"],
    "oid": ["0", "1", "4294967295"],
    "pair": ["(,)", "(1,)", "(1,a)", "(,a)", '(1,"a ")'],
    "ratio": FLOATS,
    "real": FLOATS,
    "smallint": INTEGERS,
    "smallint[]": LISTS,
    "text": TEXTS,
    "text[]": [*LISTS, '{"1,2"}', '{""}', '{"NULL"}'],
    "time": ["00:00", "24:00", "12:00", "00:00:00.000001"],
    "timestamp": MOMENTS,
    "timestamptz": [*MOMENTS, "2000-01-01 00:00:00.000001"],
    "timetz": ["00:00+00", "24:00+00", "01:00+01", "00:00-01"],
    "uuid": ["0" * 32, "1" + "0" * 31, "0" * 31 + "1"],
    "uuid[]": ["{}", "{NULL}", f"{{{'0' * 32}}}", f"{{{{{'0' * 32}}}}}"],
    "varchar(9)": TEXTS,
}
KINDS = sorted(TRAPS)
# Random values besides these.
RANDOM: dict[str, st.SearchStrategy[str]] = {
    "bigint": st.integers(-(2**63), 2**63 - 1).map(str),
    "bytea": st.binary(max_size=9).map(lambda value: f"\\x{value.hex()}"),
    "double precision": st.floats().map(repr),
    "integer": st.integers(-(2**31), 2**31 - 1).map(str),
    "integer[]": st.lists(st.sampled_from(["NULL", "0", "1"])).map(lambda v: f"{{{','.join(v)}}}"),
    "interval": st.builds("{} mons {} days {} us".format, *[st.integers(-99999, 99999)] * 3),
    "numeric": st.decimals(allow_nan=False).map(str),
    "numeric(12,2)": st.decimals(-(10**9), 10**9, places=2).map(str),
    "real": st.floats(width=32).map(repr),
    "text": st.text(LETTERS),
    "timestamptz": st.datetimes().map(str),
    "uuid": st.uuids().map(str),
}


@dataclass(frozen=True, slots=True)
class Servers:
    """A session on each server, and the columns of each type there, three of a type."""

    sessions: Sequence[Session]
    columns: Mapping[str, Sequence[PlannedColumn]]


@pytest.fixture(scope="module")
def servers(database_templates: Databases, request: pytest.FixtureRequest) -> Iterator[Servers]:
    """The wheel's servers, the newest first, and the system's if it has one."""
    names = {kind: [f"{name} {kind}" for name in "abc"] for kind in KINDS}
    columns = ", ".join(f"{quoted(name)} {kind}" for kind in KINDS for name in names[kind])
    with contextlib.ExitStack() as opened:
        makers = [database_templates, opened.enter_context(database_templates.on_server_of(16))]
        if system_programs():
            makers.append(request.getfixturevalue("system_templates"))
        sessions = []
        for maker in makers:
            opened.callback(maker.drop_all)
            database = maker.make(SCHEMA, f"CREATE TABLE t (id int PRIMARY KEY, {columns})")
            session = connect(database.address, "source", execution="test")
            sessions.append(opened.enter_context(session))
            opened.enter_context(session.transaction())
        catalog = read_catalog(sessions[0])
        (plan,) = make_plan(Catalogs(catalog, catalog), SyncRules()).tables
        found = {column.name: column for column in plan.compared}
        yield Servers(sessions, {kind: [found[name] for name in names[kind]] for kind in KINDS})


def assert_told_apart(
    servers: Servers, columns: Sequence[PlannedColumn], rows: Sequence[Values]
) -> None:
    """Check that rows of these columns hash alike if and only if their texts are the same."""
    values = sql.SQL(", ").join(
        sql.SQL("({})").format(
            sql.SQL(", ").join(
                sql.SQL("{}::{}").format(sql.Literal(value), sql.SQL(column.type))
                for value, column in zip(row, columns, strict=True)
            )
        )
        for row in rows
    )
    names = sql.SQL(", ").join(sql.Identifier(column.name) for column in columns)
    query = sql.SQL("SELECT ROW(t.*)::text, {} FROM (VALUES {}) t ({})").format(
        row_hash(columns, target_value), values, names
    )
    everywhere = [set(session.rows(query)) for session in servers.sessions]
    (found,) = map(set, {frozenset(pairs) for pairs in everywhere})
    assert len({text for text, _ in found}) == len(found)
    assert len({hashed for _, hashed in found}) == len(found)


@pytest.mark.parametrize("is_computed", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_values_that_are_nearly_the_same_are_told_apart_in_any_two_columns(
    servers: Servers, kind: str, is_computed: bool
) -> None:
    columns = [
        replace(column, is_binary=column.is_binary and not is_computed)
        for column in servers.columns[kind][:2]
    ]

    rows = list(product([*TRAPS[kind], None], repeat=2))

    assert_told_apart(servers, columns, rows)


@pytest.mark.parametrize("kind", KINDS)
def test_values_that_three_columns_exchange_or_change_together_are_told_apart(
    servers: Servers, kind: str
) -> None:
    rows = list(product([*TRAPS[kind][:5], None], repeat=3))

    assert_told_apart(servers, servers.columns[kind], rows)


@pytest.mark.parametrize("kind", KINDS)
def test_a_value_and_an_integer_beside_it_do_not_cancel_out(servers: Servers, kind: str) -> None:
    columns = [servers.columns["integer"][0], servers.columns[kind][1]]

    rows = list(product([*map(str, range(-1, 10)), None], [*TRAPS[kind], None]))

    assert_told_apart(servers, columns, rows)


@settings(SETTINGS, max_examples=EXAMPLES or 60)
@given(data=st.data())
def test_random_rows_hash_alike_if_and_only_if_their_texts_are_the_same(
    servers: Servers, data: st.DataObject
) -> None:
    kinds = data.draw(st.lists(st.sampled_from(KINDS), min_size=1, max_size=4, unique=True))
    columns = [servers.columns[kind][0] for kind in kinds]
    value = [
        st.none() | st.sampled_from(TRAPS[kind]) | RANDOM.get(kind, st.nothing()) for kind in kinds
    ]

    rows = data.draw(st.lists(st.tuples(*value), min_size=2, max_size=30))

    assert_told_apart(servers, columns, rows)
