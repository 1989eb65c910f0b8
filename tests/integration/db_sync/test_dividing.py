"""How a sync is divided: every row is in one part, parts are alike, and some tables are whole."""

import json
import math
import time

import pytest
from psycopg2 import sql

from common.errors import ConfigurationError
from common.postgres.connection.address import DatabaseAddress
from db_sync.parts.dividing import Limits, divide, divide_again
from db_sync.parts.part import Division
from db_sync.plan.snapshot import open_snapshots
from db_sync.rules import SyncRules
from db_sync.run import SyncOptions, sessions
from db_sync.tuning import Rates
from tests.integration.db_sync.syncing import own_tables
from tests.support.databases import Databases, Pair

RATES = Rates(compare=100_000, write=100_000)


def divided(
    pair: Pair,
    rules: SyncRules | None = None,
    longest: float = math.inf,
    target: DatabaseAddress | None = None,
) -> Division:
    """Divide a sync into parts of about 100 KB each."""
    options = SyncOptions("test", rules or SyncRules())
    with sessions(pair.source.address, target or pair.target.address, options) as run:
        plan = open_snapshots(run).plan
        return divide(run, plan, RATES, Limits(1.0, 1.5, longest), time.time())


def rows_of_parts(pair: Pair, division: Division, table: str = "t") -> list[int]:
    """Return how many of the source's rows are in each part of a table."""
    with pair.source.connect() as connection, connection.cursor() as cursor:
        counts = []
        for part in division.parts:
            if part.bounds and part.tables[0].name == table:
                cursor.execute(
                    sql.SQL("SELECT count(*) FROM {} t WHERE {}").format(
                        part.tables[0].identifier, part.bounds.condition
                    )
                )
                counts.append(cursor.fetchone()[0])
        return counts


KEYS = {
    "int": ("k int PRIMARY KEY", "i"),
    "skewed": ("k bigint PRIMARY KEY", "CASE WHEN i % 100 = 0 THEN i * 10000000000 ELSE -i END"),
    "uuid": ("k uuid PRIMARY KEY", "md5(i::text)::uuid"),
    "text": ("k text PRIMARY KEY", "chr(32 + i % 900) || '''\\\"é' || i"),
    "varchar": ("k varchar(50) PRIMARY KEY", "md5(i::text)"),
    "C": ('k text COLLATE "C" PRIMARY KEY', "md5(i::text)"),
    "numeric": ("k numeric PRIMARY KEY", "CASE i WHEN 7 THEN 'NaN' ELSE i / 7.0 END"),
    "date": ("k date PRIMARY KEY", "date '2000-01-01' + i"),
    "timestamptz": ("k timestamptz PRIMARY KEY", "'2000-01-01'::timestamptz + i * interval '1 h'"),
    "bytea": ("k bytea PRIMARY KEY", "sha256(i::text::bytea)"),
    "composite": ("k text, n int, PRIMARY KEY (k, n)", "CASE WHEN i < 9000 THEN 'one' END, i"),
}


@pytest.mark.parametrize("kind", KEYS)
def test_every_row_is_in_exactly_one_of_several_parts_of_similar_size(
    databases: Databases, kind: str
) -> None:
    columns, values = KEYS[kind]
    values = values.replace("'one' END", "'one' ELSE 'two' || i END")
    schema = f"CREATE TABLE t ({columns}, filler text)"
    rows = f"INSERT INTO t SELECT {values}, repeat('x', 40) FROM generate_series(1, 10000) i"
    pair = databases.pair(schema, source=f"{rows}; ANALYZE")
    counts = rows_of_parts(pair, divided(pair))
    assert sum(counts) == 10_000
    assert len(counts) >= 5
    assert max(counts) < 2 * min(counts)


def test_texts_that_both_sides_may_order_differently_are_divided_as_c_orders_them(
    databases: Databases,
) -> None:
    pair = databases.pair("CREATE TABLE t (k text PRIMARY KEY, v text)")
    pair.target.execute('ALTER TABLE t ALTER k TYPE text COLLATE "POSIX"')
    pair.source.execute(
        "INSERT INTO t SELECT md5(i::text), repeat('x', 40) FROM generate_series(1, 10000) i"
    )
    division = divided(pair)
    counts = rows_of_parts(pair, division)
    assert sum(counts) == 10_000
    assert len(counts) >= 5
    bounds = [part.bounds for part in division.parts if part.bounds]
    assert {column.collation for each in bounds for column in each.columns} == {'"C"'}


def test_keys_of_a_partitioned_table_divide_all_partitions(databases: Databases) -> None:
    pair = databases.pair(
        """
        CREATE TABLE t (k int PRIMARY KEY, v text) PARTITION BY RANGE (k);
        CREATE TABLE t_low PARTITION OF t FOR VALUES FROM (MINVALUE) TO (5000);
        CREATE TABLE t_high PARTITION OF t FOR VALUES FROM (5000) TO (MAXVALUE);
        """,
        source="INSERT INTO t SELECT i, repeat('x', 40) FROM generate_series(1, 10000) i; ANALYZE",
    )
    counts = rows_of_parts(pair, divided(pair))
    assert sum(counts) == 10_000
    assert len(counts) >= 5


def test_texts_without_an_encoding_divide_no_table(databases: Databases) -> None:
    pair = databases.pair_in("SQL_ASCII", "CREATE TABLE t (word text PRIMARY KEY)")
    pair.source.execute(
        "INSERT INTO t SELECT convert_from('\\xff', 'SQL_ASCII') || i"
        " FROM generate_series(1, 8000) i"
    )
    assert [part.bounds for part in divided(pair).parts] == [None]


def test_a_huge_table_beside_many_small_ones_makes_few_parts(databases: Databases) -> None:
    small = "".join(f"CREATE TABLE s{i} (k int PRIMARY KEY);" for i in range(100))
    fill = "".join(f"INSERT INTO s{i} VALUES (1);" for i in range(100))
    pair = databases.pair(
        f"CREATE TABLE t (k int PRIMARY KEY, v text); {small}",
        source=f"INSERT INTO t SELECT i, repeat('x', 40) FROM generate_series(1, 10000) i; {fill}"
        "ANALYZE",
    )
    division = divided(pair)
    assert len(rows_of_parts(pair, division)) >= 5
    together = [part for part in division.parts if not part.bounds]
    assert len(together) < 20
    assert sorted(name.name for part in together for name in part.tables) == sorted(
        f"s{i}" for i in range(100)
    )


FILL = "INSERT INTO t (k, v) SELECT i, i || repeat('x', 40) FROM generate_series(1, 10000) i"
WHOLE = {
    "no key": ("k int, v text", "no key"),
    "another key type": ("k real PRIMARY KEY, v text", "of the type real"),
    "unique": ("k int PRIMARY KEY, v text UNIQUE", "unique or exclusion constraint"),
    "unique expression": ("k int PRIMARY KEY, v text", "unique or exclusion constraint"),
    "trigger": ("k int PRIMARY KEY, v text", "trigger always must be disabled"),
    "rule": ("k int PRIMARY KEY, v text", "rule always must be disabled"),
    "check": ("k int PRIMARY KEY, v text", "CHECK constraints must be dropped"),
    "kept": ("k int PRIMARY KEY, v text", "keeps values of v"),
}
DEFINED = {
    "unique expression": "CREATE UNIQUE INDEX ON t (lower(v))",
    "trigger": """
        CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
        CREATE TRIGGER always BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION nothing();
        ALTER TABLE t ENABLE ALWAYS TRIGGER always;
    """,
    "rule": """
        CREATE RULE always AS ON UPDATE TO t DO ALSO NOTHING;
        ALTER TABLE t ENABLE ALWAYS RULE always;
    """,
    "check": "ALTER TABLE t ADD CONSTRAINT c CHECK (k > 0) NOT VALID",
}


@pytest.mark.parametrize("kind", WHOLE)
def test_a_table_that_cannot_be_divided_is_one_part_or_refused(
    databases: Databases, kind: str
) -> None:
    columns, reason = WHOLE[kind]
    schema = f"CREATE TABLE t ({columns}); {DEFINED.get(kind, '')}"
    pair = databases.pair(schema, source=f"{FILL}; ANALYZE", target=f"{FILL}; ANALYZE")
    rules = SyncRules.parse('{"keep": ["public.t.v"]}' if kind == "kept" else "")
    division = divided(pair, rules)
    assert [part.bounds for part in division.parts] == [None]
    with pytest.raises(
        ConfigurationError, match=rf"(?s)public\.t takes .* is one part: .*{reason}"
    ):
        divided(pair, rules, longest=2.0)


@pytest.mark.parametrize("kind", ["unique", "unique expression", "kept"])
def test_an_empty_table_is_divided_though_values_are_unique(
    databases: Databases, kind: str
) -> None:
    schema = f"CREATE TABLE t ({WHOLE[kind][0]}); {DEFINED.get(kind, '')}"
    pair = databases.pair(schema, source=f"{FILL}; ANALYZE")
    rules = SyncRules.parse('{"keep": ["public.t.v"]}' if kind == "kept" else "")
    assert len(rows_of_parts(pair, divided(pair, rules))) >= 5


def test_a_deferrable_constraint_forbids_parts(databases: Databases) -> None:
    schema = "CREATE TABLE t (k int PRIMARY KEY, v text UNIQUE DEFERRABLE)"
    pair = databases.pair(schema, source=f"{FILL}; ANALYZE")
    with pytest.raises(ConfigurationError, match=r"public\.t has a deferrable unique or exclusion"):
        divided(pair)


def test_an_event_trigger_that_each_part_would_have_to_disable_forbids_parts(
    databases: Databases,
) -> None:
    pair = databases.pair("CREATE TABLE t (id int PRIMARY KEY)")
    pair.target.execute(
        "CREATE FUNCTION watch() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'",
        "CREATE EVENT TRIGGER watch ON ddl_command_end EXECUTE FUNCTION watch()",
    )
    divided(pair)
    pair.target.execute("ALTER EVENT TRIGGER watch ENABLE ALWAYS")
    with pytest.raises(ConfigurationError, match="event trigger watch fires"):
        divided(pair)


def test_a_role_that_cannot_act_as_a_replica_is_refused(databases: Databases, role: str) -> None:
    pair = databases.pair("CREATE TABLE t (k int PRIMARY KEY, v text)", source=f"{FILL}; ANALYZE")
    with pytest.raises(ConfigurationError, match="may not set session_replication_role"):
        divided(pair, target=own_tables(pair, role))


def test_a_division_survives_its_file(databases: Databases) -> None:
    pair = databases.pair("CREATE TABLE t (k int PRIMARY KEY, v text)", source=f"{FILL}; ANALYZE")
    division = divided(pair)
    assert Division.parse(json.dumps(division.as_json()).encode()) == division


def test_a_part_that_took_too_long_is_divided_again(databases: Databases) -> None:
    pair = databases.pair("CREATE TABLE t (k int PRIMARY KEY, v text)", source=f"{FILL}; ANALYZE")
    division = divided(pair)
    part = division.parts[2]
    options = SyncOptions("test")
    with sessions(pair.source.address, pair.target.address, options) as run:
        plan = open_snapshots(run).plan
        narrower = divide_again(run, plan, part, division.last_number)
    assert [each.number for each in narrower] == [
        division.last_number + place for place in range(1, len(narrower) + 1)
    ]
    assert len(narrower) == 4
    assert part.bounds
    assert (part.bounds.low, part.bounds.high) == (
        narrower[0].bounds and narrower[0].bounds.low,
        narrower[-1].bounds and narrower[-1].bounds.high,
    )
    changed = division.exchanging({part.number}, narrower)
    counts = rows_of_parts(pair, changed)
    assert sum(counts) == 10_000
    assert len(counts) == len(division.parts) + 3
