"""Large values: they are not doubled on the way, and too large ones are refused."""

import subprocess
import sys

import pytest

from common.errors import SchemaMismatch
from tests.integration.db_sync.syncing import assert_same, sync
from tests.support.databases import Databases, Pair

MEGABYTE = 1_000_000
LARGE = f"convert_to(repeat('x', {MEGABYTE}), 'UTF8')"
OWN_TYPES = """
CREATE TYPE mood AS ENUM ('sad', 'Grüße "ok"');
CREATE DOMAIN feeling AS mood;
CREATE DOMAIN price AS numeric(8,2);
CREATE DOMAIN prices AS numeric[];
"""
VALUES = {
    "mood": """'Grüße "ok"'""",
    "feeling": "'sad'",
    "price": "1.50",
    "prices": "'{1.50,NULL}'",
    "tsvector": "'fat:1A cat:2'",
    "tsquery": "'fat & !cat'",
    '"char"': "'x'",
    "name": "'ü'",
    "oid": "4294967295",
    "money": "12.34",
    "cidr": "'::/64'",
    "macaddr": "'08:00:2b:01:02:03'",
    "macaddr8": "'08:00:2b:01:02:03:04:05'",
    "pg_lsn": "'16/B374D848'",
    "point": "'(0.1,1e-300)'",
    "line": "'{1,2,0.1}'",
    "lseg": "'[(0,0.1),(1,1)]'",
    "box": "'(1,1),(0,0.1)'",
    "path": "'[(0,0.1),(1,1)]'",
    "polygon": "'((0,0.1),(1,1))'",
    "circle": "'<(0,0.1),2>'",
    "int4range": "'[1,5)'",
    "int8range": "'empty'",
    "numrange": "'(,1.50]'",
    "daterange": "'[2020-02-02,)'",
    "tsrange": "'[2020-02-02 00:00:00.000001,)'",
    "tstzrange": "'(,2020-02-02 02:02+02)'",
    "int4multirange": "'{[1,3),[5,7)}'",
    "int8multirange": "'{}'",
    "nummultirange": "'{[1.0,1.50)}'",
    "datemultirange": "'{[2020-02-02,2020-02-03)}'",
    "tsmultirange": "'{[2020-02-02,)}'",
    "tstzmultirange": "'{[2020-02-02 02:02+02,)}'",
}
EXTENSIONS = "CREATE EXTENSION citext; CREATE EXTENSION hstore;"
EXTENSIONS_VALUES = {"citext": "'Grüße'", "hstore": "'a=>\"x,y\", b=>NULL'"}


def pair_of(databases: Databases, schema: str, values: dict[str, str]) -> Pair:
    """Return a pair with a table for each type, which has a large value in another column."""
    tables = "".join(
        f"CREATE TABLE t{n} (id int PRIMARY KEY, v bytea, w {of_type});"
        for n, of_type in enumerate(values)
    )
    rows = "".join(
        f"INSERT INTO t{n} VALUES (1, {LARGE}, {value}), (2, NULL, NULL);"
        for n, value in enumerate(values.values())
    )
    return databases.pair(f"{schema} {tables}", source=rows)


def assert_travels_as_it_is(pair: Pair) -> None:
    """Check that hardly more bytes are transferred for a table than its large value has."""
    result = sync(pair)

    assert result.warnings == ()
    assert [each.table for each in result.tables if each.bytes > 1.01 * MEGABYTE] == []
    assert_same(pair)
    assert sync(pair).status == "unchanged"


def test_a_large_value_is_not_doubled_by_the_types_of_other_columns(databases: Databases) -> None:
    assert_travels_as_it_is(pair_of(databases, OWN_TYPES, VALUES))


def test_a_large_value_is_not_doubled_by_types_of_extensions(
    system_databases: Databases,
) -> None:
    assert_travels_as_it_is(pair_of(system_databases, EXTENSIONS, EXTENSIONS_VALUES))


def test_types_whose_binary_form_contains_an_oid_are_copied_as_text(databases: Databases) -> None:
    own = """
        CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE TYPE pair AS (x int, m mood);
        CREATE DOMAIN word AS text; CREATE TABLE t (id int PRIMARY KEY, {} int);
        ALTER TABLE t ADD p pair, ADD m mood[], ADD w word[];
        """
    row = """INSERT INTO t (id, p, m, w) VALUES (1, ROW(1, 'ok'), '{sad,NULL}', '{"a b"}')"""
    # The types have different oids on the two sides.
    pair = Pair(databases.make(own.format("a"), row), databases.make("CREATE TYPE x AS (a int)"))
    pair.target.execute(own.format("a"))
    pair.target.mark()

    sync(pair)

    assert pair.target.rows("TABLE t") == pair.source.rows("TABLE t")
    assert sync(pair).status == "unchanged"


# As in a Lambda with limited memory; in a process of its own, which may run out of memory.
LIMITED = """
import runpy
from db_sync.memory import granted, within
with within(granted()):
    runpy.run_module("db_sync", run_name="__main__")
"""


@pytest.mark.parametrize("megabytes", [25, 50, 100])  # the driver fails differently at each
def test_a_row_that_is_too_large_for_the_memory_is_an_error_that_says_so(
    databases: Databases, megabytes: int
) -> None:
    value = f"repeat('secret', {megabytes * MEGABYTE} / 6)"
    pair = databases.pair(
        "CREATE TABLE t (id int PRIMARY KEY, v text)", source=f"INSERT INTO t VALUES (1, {value})"
    )

    done = subprocess.run(  # noqa: S603  # ours
        [sys.executable, "-c", LIMITED, "--source", pair.source.url, "--target", pair.target.url],
        check=False,
        capture_output=True,
        text=True,
        env={"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128"},
    )

    assert done.returncode == 1
    assert done.stderr.startswith("ConfigurationError: A row is too large for the memory")
    assert "Raise memory_mb" in done.stderr
    assert "The table is public.t." in done.stderr
    assert "secret" not in done.stderr
    assert pair.target.value("SELECT count(*) FROM t") == 0


@pytest.mark.parametrize(
    "refusal",
    [
        "PERFORM format('%2000000000s', 'x')",
        "RAISE EXCEPTION 'invalid memory alloc request size 7' USING ERRCODE = 'XX000'",
    ],
)
def test_a_value_that_is_too_large_for_postgresql_is_an_error_that_says_so(
    databases: Databases, refusal: str
) -> None:
    pair = databases.pair(
        f"""
        CREATE TYPE mood AS ENUM ('sad');
        CREATE TABLE t (id int PRIMARY KEY, v mood);
        CREATE FUNCTION cast_mood(mood) RETURNS int LANGUAGE plpgsql
            AS $$ BEGIN {refusal}; RETURN 1; END $$;
        CREATE CAST (mood AS int) WITH FUNCTION cast_mood(mood) AS ASSIGNMENT;
        """,
        source="INSERT INTO t VALUES (1, 'sad')",
    )
    pair.target.execute("ALTER TABLE t ALTER v TYPE int USING NULL")

    with pytest.raises(
        SchemaMismatch, match=r"limit of 1 GB, .*The table is public\.t, converting v"
    ):
        sync(pair)
