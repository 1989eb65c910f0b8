"""Values of every type are copied exactly, and keys of every type identify rows."""

import pytest

from tests.integration.db_sync.syncing import assert_same, sync
from tests.support.databases import Databases

OWN_TYPES = """
CREATE TYPE mood AS ENUM ('sad', 'ok', 'glad');
CREATE TYPE pair AS (x int, y text);
CREATE TYPE nest AS (p pair, many pair[], m mood);
CREATE DOMAIN positive AS int CHECK (VALUE > 0);
CREATE DOMAIN moods AS mood[];
CREATE TYPE floats AS RANGE (subtype = float8, multirange_type_name = multifloats);
"""
# The columns of each table, with their values; NULL is added to each.
VALUES: dict[str, dict[str, list[str]]] = {
    "numbers": {
        "smallint": ["-32768", "32767"],
        "bigint": ["-9223372036854775808", "0"],
        "numeric": ["1.0", "1.00", "NaN", "-Infinity", "1e-300"],
        "numeric(8,3)": ["12345.678", "NaN"],
        "real": ["NaN", "-0", "1e-45", "0.1"],
        "float8": ["NaN", "Infinity", "-0", "5e-324", "0.1"],
        "money": ["-92233720368547758.08", "12.34"],
        "oid": ["4294967295"],
        "boolean": ["true", "false"],
    },
    "texts": {
        "text": ["", " ", "a ", r"\.", r"\N", "tab\tline\nreturn\r", "Grüße 🦉", r"\\x", "NULL"],
        "varchar(4)": ["", "ab  "],
        "char(4)": ["", "ab"],
        "bpchar": ["a", "a "],
        '"char"': ["", "x", r"\200"],
        "name": ["a name"],
        "bytea": [r"\x", r"\x005c2e0a", r"\xff"],
        "bit(3)": ["101"],
        "bit varying": ["", "10110"],
    },
    "times": {
        "date": ["infinity", "0044-03-15 BC", "2020-02-29"],
        "time": ["24:00", "00:00:00.000001"],
        "timetz": ["01:02:03+04:30", "00:02:03+03:30"],
        "timestamp": ["-infinity", "294276-12-31 23:59:59.999999"],
        "timestamptz": ["infinity", "4713-01-01 00:00 BC"],
        "timestamp(0)": ["2020-02-02 02:02:02"],
        "interval": ["1 month", "30 days", "720 hours", "-1 year 2 mons -3 days 04:05:06.7"],
        "interval day to second": ["1 day 02:03:04"],
    },
    "documents": {
        "json": ["{}", "{ }", '{"b":1, "a":2, "a":3}', '"\\u00e9\\n"', "null"],
        "jsonb": ["null", '{"a": 1.0}', '{"a": 1.00}', '["\\\\."]'],
        "jsonpath": ["$.a[*] ? (@ > 1)"],
        "tsvector": ["fat:1A,3 cat:2", "'it''s' '\\\\.'"],
        "tsquery": ["fat & (cat | !rat:*A)"],
        "uuid": ["ffffffff-0000-1111-2222-333333333333"],
    },
    "places": {
        "point": ["(0.1,-0)"],
        "line": ["{1,2,3}"],
        "lseg": ["[(0,0),(1,1)]"],
        "box": ["(1,1),(0,0)"],
        "path": ["[(0,0),(1,1)]", "((0,0),(1,1))"],
        "polygon": ["((0,0),(1,1),(1,0))"],
        "circle": ["<(0,0),1>"],
        "inet": ["10.0.0.1/8", "10.0.0.1", "::1"],
        "cidr": ["10.0.0.0/8"],
        "macaddr": ["08:00:2b:01:02:03"],
        "macaddr8": ["08:00:2b:01:02:03:04:05"],
    },
    "ranges": {
        "int4range": ["empty", "[1,3)", "(,)"],
        "numrange": ["[1.0,2)", "[1,2)", "(,NaN]"],
        "daterange": ["[2020-01-01,infinity)"],
        "tstzrange": ["(-infinity,infinity]"],
        "int8multirange": ["{}", "{[1,3),[5,7)}"],
        "nummultirange": ["{[1.0,2)}"],
        "floats": ["[NaN,NaN]", "[-0,0.1]"],
        "multifloats": ["{[0.1,0.3]}"],
    },
    "own types": {
        "mood": ["ok"],
        "mood[]": ["{glad,NULL,sad}", "{}"],
        "moods": ["{{ok},{sad}}"],
        "positive": ["7"],
        "positive[]": ["{7,NULL}"],
        "pair": ['(,"")', '(1,"a,""b\\\\.")'],
        "pair[]": ['{"(1,a)",NULL}'],
        "nest": ['("(1,a)","{""(2,b)""}",glad)'],
        "floats[]": ['{"[1,2)",empty}'],
    },
    "arrays": {
        "int[]": ["{}", "{1,NULL}", "[0:1]={1,2}", "{{1},{2}}"],
        "text[]": ['{"",NULL,"NULL",",","\\\\."}'],
        "numeric[]": ["{1.0,1.00,NaN}"],
        "bytea[]": ['{"\\\\x00"}'],
        "json[]": ['{"{ }","[]"}'],
        "interval[]": ["{30 days,1 mon}"],
        "money[]": ["{1.5}"],
    },
    "the system's": {
        "regclass": ["pg_class", "t"],
        "regtype": ["int4", "mood"],
        "regproc": ["now"],
        "xid": ["4294967295"],
        "xid8": ["42"],
        "tid": ["(1,2)"],
        "pg_lsn": ["16/B374D848"],
        "pg_snapshot": ["10:20:10,14"],
        "int2vector": ["1 2"],
        "oidvector": ["3 4"],
        "aclitem": ["postgres=r/postgres"],
        "refcursor": ["c"],
    },
}


@pytest.mark.parametrize("kind", VALUES)
def test_values_of_every_type_become_identical(databases: Databases, kind: str) -> None:
    types = VALUES[kind]
    columns = ", ".join(f"c{number} {of_type}" for number, of_type in enumerate(types))
    pair = databases.pair(
        f"{OWN_TYPES} CREATE TABLE t (id int PRIMARY KEY, {columns});"
        f"CREATE TABLE keyless (id int, {columns})"
    )
    pair.source.execute(
        "".join(
            f"INSERT INTO {table} (id, c{number}) VALUES ({number}{count}, {literal(value)});"
            for table in ("t", "keyless")
            for number, values in enumerate(types.values())
            for count, value in enumerate(values)
        )
    )
    pair.target.execute(
        "INSERT INTO t (id) SELECT i FROM generate_series(0, 40) i; INSERT INTO keyless VALUES (1)"
    )

    sync(pair)

    assert_same(pair)
    assert sync(pair).status == "unchanged"


def literal(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


# A type, three of its values in order, and one that is equal but not identical to the first.
KEYS = {
    "bigint": ("-9223372036854775808", "0", "9223372036854775807", None),
    "numeric": ("1.0", "2", "NaN", "1.00"),
    "float8": ("-0", "1", "Infinity", "0"),
    "money": ("1.00", "2.00", "3.00", None),
    "boolean": ("false", "true", None, None),
    "text": ("", r"\.", "ü", None),
    "char(3)": ("", "a", "b", None),
    "name": ("a", "b", "c", None),
    '"char"': ("a", "b", "c", None),
    "bytea": (r"\x", r"\x00", r"\xff", None),
    "bit varying": ("", "0", "1", None),
    "date": ("-infinity", "2020-01-01", "infinity", None),
    "timetz": ("00:00+00", "01:00+00", "02:00+00", None),
    "interval": ("1 month", "2 months", "3 months", "30 days"),
    "inet": ("10.0.0.1", "10.0.0.2", "::1", None),
    "jsonb": ('{"a": 1.0}', '{"b": 1}', '{"c": 1}', '{"a": 1.00}'),
    "numeric[]": ("{1.0}", "{2}", "{3,NULL}", "{1.00}"),
    "numrange": ("[1.0,2)", "[2,3)", "empty", "[1.00,2)"),
    "mood": ("sad", "ok", "glad", None),
    "positive": ("1", "2", "3", None),
    "pair": ("(1,a)", "(2,)", "(3,c)", None),
}


def test_rows_are_distinguished_by_keys_of_every_type(databases: Databases) -> None:
    tables = {f"by_{number}": of_type for number, of_type in enumerate(KEYS)}
    schema = OWN_TYPES
    source = target = ""
    for table, of_type in tables.items():
        first, second, third, like_first = KEYS[of_type]
        schema += f"CREATE TABLE {table} (k {of_type} PRIMARY KEY, v text);"
        source += f"INSERT INTO {table} VALUES ({literal(like_first or first)}, 'same');"
        source += f"INSERT INTO {table} VALUES ({literal(second)}, 'new');"
        target += f"INSERT INTO {table} VALUES ({literal(first)}, 'same');"
        target += f"INSERT INTO {table} VALUES ({literal(second)}, 'old');"
        if third:
            target += f"INSERT INTO {table} VALUES ({literal(third)}, 'gone');"
    pair = databases.pair(schema, source, target)

    result = sync(pair)

    assert_same(pair)
    for done in result.tables:
        _, _, third, like_first = KEYS[tables[done.table.removeprefix("public.")]]
        written = (done.rows_updated, done.rows_inserted, done.rows_deleted)
        assert done.action == "merge"
        assert written == (2 if like_first else 1, 0, 1 if third else 0)
    assert sync(pair).status == "unchanged"


@pytest.mark.parametrize("target", ["", r"INSERT INTO t VALUES ('old')"])
def test_a_line_that_looks_like_the_end_of_a_copy_is_copied_as_a_row(
    databases: Databases, target: str
) -> None:
    pair = databases.pair("CREATE TABLE t (v text)", target=target)
    pair.source.execute(
        r"INSERT INTO t VALUES ('\.'), (''), (NULL), ('\N'), (E'\\.\n\\.'), (E'\r'), (E'\r\n\t')"
    )

    sync(pair)

    assert_same(pair)


def test_a_value_larger_than_the_buffer_between_the_databases_is_copied(
    databases: Databases,
) -> None:
    pair = databases.pair(
        "CREATE TABLE t (id int PRIMARY KEY, v text)",
        source="INSERT INTO t SELECT i, repeat(md5(i::text), 20000) FROM generate_series(1, 3) i",
        target="INSERT INTO t VALUES (1, 'small')",
    )

    sync(pair)

    query = "SELECT id, md5(v) FROM t ORDER BY id"
    assert pair.target.rows(query) == pair.source.rows(query)
