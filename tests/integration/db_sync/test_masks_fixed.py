"""Fixed values and NULL in columns of every sort of type."""

from typing import Any

import pytest

from tests.integration.db_sync.masking import sync_masked
from tests.support.databases import Databases

TYPES = """
    CREATE TYPE mood AS ENUM ('sad', 'happy');
    CREATE DOMAIN short AS varchar(5) CHECK (VALUE <> 'no');
    CREATE TYPE place AS (x int, y int);
"""


@pytest.mark.parametrize(
    ("type_", "value", "fixed", "shown"),
    [
        ("text", "'a'", "masked", "masked"),
        ("text", "'a'", "", ""),
        ("text", "''", "masked", "masked"),
        ("text", "'a'", "100%s {column} '; \\", "100%s {column} '; \\"),
        ("varchar(6)", "'a'", "masked", "masked"),
        ("char(6)", "'a'", "x", "x     "),
        ("short", "'yes'", "x", "x"),
        ("mood", "'happy'", "sad", "sad"),
        ("mood[]", "'{happy}'", "{sad,sad}", "{sad,sad}"),
        ("boolean", "false", True, "t"),
        ("integer", "5", 0, "0"),
        ("integer", "5", "7", "7"),
        ("numeric(8,2)", "5", 1.5, "1.50"),
        ("double precision", "5", -1e30, "-1e+30"),
        ("date", "'2000-01-01'", "1970-01-01", "1970-01-01"),
        ("timestamptz", "now()", "epoch", "1970-01-01 00:00:00+00"),
        ("interval", "'1 day'", "0", "00:00:00"),
        ("bytea", r"'\x01'", r"\x00ff", r"\x00ff"),
        ("uuid", "gen_random_uuid()", "0" * 32, "00000000-0000-0000-0000-000000000000"),
        ("inet", "'10.0.0.1'", "::1", "::1"),
        ("text[]", "'{a}'", "{}", "{}"),
        ("int4range", "'[1,2)'", "empty", "empty"),
        ("json", "'{\"a\": 1}'", {"b": [None]}, '{"b": [null]}'),
        ("jsonb", "'1'", "text", '"text"'),
        ("jsonb", "'null'", [], "[]"),
        ("tsvector", "'a'", "", ""),
        ("place", "ROW(1, 2)", "(0,0)", "(0,0)"),
        # A row with a NULL in it is not NULL.
        ("place", "ROW(1, NULL)", "(0,0)", "(0,0)"),
        ("place", "ROW(NULL, NULL)::place", "(0,0)", "(0,0)"),
    ],
)
def test_a_fixed_value_replaces_all_but_null(
    databases: Databases, type_: str, value: str, fixed: Any, shown: str
) -> None:
    pair = databases.pair(
        f"{TYPES}; CREATE TABLE t (id int PRIMARY KEY, v {type_})",
        f"INSERT INTO t VALUES (1, {value}), (2, NULL)",
    )
    masks = {"public.t.v": {"with": "fixed", "value": fixed}}

    sync_masked(pair, masks, key=None)

    texts = "SELECT format('%s', v) FROM t WHERE id = 1"
    pair.target.execute(f"ALTER DATABASE {pair.target.name} SET TimeZone = 'UTC'")
    assert pair.target.value(texts) == shown
    assert pair.target.value("SELECT num_nulls(v) FROM t WHERE id = 2") == 1
    assert sync_masked(pair, masks, key=None).status == "unchanged"


@pytest.mark.parametrize(
    "type_", ["text", "short", "mood", "integer", "date", "jsonb", "text[]", "place", "bytea"]
)
def test_null_replaces_everything(databases: Databases, type_: str) -> None:
    values = {"integer": "1", "date": "2000-01-01", "jsonb": "{}", "text[]": "{a}", "place": "(1,)"}
    pair = databases.pair(
        f"{TYPES}; CREATE TABLE t (id int PRIMARY KEY, v {type_})",
        f"INSERT INTO t VALUES (1, '{values.get(type_, 'happy' if type_ == 'mood' else 'a')}')",
    )

    sync_masked(pair, {"public.t.v": "null"}, key=None)

    assert pair.target.rows("SELECT id, num_nulls(v) FROM t") == [(1, 1)]
