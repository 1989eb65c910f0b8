"""Columns whose types differ: converted if PostgreSQL would assign the value, refused if not."""

import pytest

from common.errors import SchemaMismatch
from tests.integration.db_sync.schema_pairs import make_pair_with_values, values_of
from tests.integration.db_sync.syncing import sync
from tests.support.databases import Databases


@pytest.mark.parametrize(
    ("source", "target", "value"),
    [
        ("int", "bigint", "5"),
        ("int", "text", "5"),
        ("varchar(10)", "text", "'five'"),
        ("text", "varchar(10)", "'five'"),
        ("varchar(10)", "varchar(20)", "'five'"),
        ("numeric(8,4)", "numeric(8,2)", "1.005"),
        ("date", "timestamptz", "'2020-02-02'"),
        ("text", "jsonb", """'{"a": 1.50}'"""),
    ],
)
def test_a_column_of_another_type_is_cast_if_there_is_an_assignment_cast(
    databases: Databases, source: str, target: str, value: str
) -> None:
    pair = make_pair_with_values(
        databases,
        f"CREATE TABLE t (id int PRIMARY KEY, v {source})",
        f"CREATE TABLE t (id int PRIMARY KEY, v {target})",
        value,
    )

    sync(pair)

    expected = pair.source.value(f"SET timezone = 'UTC'; SELECT v::{target}::text FROM t")
    assert pair.target.value("SET timezone = 'UTC'; SELECT v::text FROM t") == expected
    assert sync(pair).status == "unchanged"


@pytest.mark.parametrize(
    ("source", "value", "expected"),
    [
        ("int[]", "'{1,NULL,3}'", "[1, null, 3]"),
        ("numeric", "1.50", "1.50"),
        ("boolean", "true", "true"),
        ("point_of_sale", "ROW(7, 'till')", '{"x": 7, "y": "till"}'),
    ],
)
def test_arrays_numbers_booleans_and_composites_become_json(
    databases: Databases, source: str, value: str, expected: str
) -> None:
    pair = make_pair_with_values(
        databases,
        f"CREATE TYPE point_of_sale AS (x int, y text);"
        f"CREATE TABLE t (id int PRIMARY KEY, v {source})",
        "CREATE TABLE t (id int PRIMARY KEY, v jsonb)",
        value,
    )

    sync(pair)

    assert pair.target.value("SELECT v::text FROM t") == expected
    assert sync(pair).status == "unchanged"


def test_a_text_that_is_no_json_is_refused_with_its_table_and_column(databases: Databases) -> None:
    pair = make_pair_with_values(
        databases,
        "CREATE TABLE t (id int PRIMARY KEY, v text)",
        "CREATE TABLE t (id int PRIMARY KEY, v jsonb)",
        "'secret-word'",
    )

    with pytest.raises(SchemaMismatch, match=r"The table is public\.t, converting v\.") as no:
        sync(pair)

    assert "secret-word" not in str(no.value)


def test_a_text_too_long_for_the_target_is_refused_and_not_cut(databases: Databases) -> None:
    pair = make_pair_with_values(
        databases,
        "CREATE TABLE t (id int PRIMARY KEY, v text)",
        "CREATE TABLE t (id int PRIMARY KEY, v varchar(3))",
        "'four'",
    )

    with pytest.raises(SchemaMismatch, match="StringDataRightTruncation"):
        sync(pair)


@pytest.mark.parametrize(
    ("source", "target", "value", "expected"),
    [
        ("int[]", "bigint[]", "'{1,NULL}'", "{1,NULL}"),
        ("int[]", "text[]", "'{{1},{2}}'", "{{1},{2}}"),
        ("numeric(8,4)[]", "numeric(8,2)[]", "'{1.005}'", "{1.01}"),
        ("timestamp", "timestamp(0)", "'2020-02-02 02:02:02.6'", "2020-02-02 02:02:03"),
        ("bit(4)", "bit varying(4)", "'1001'", "1001"),
        ("bit varying", "bit(4)", "'1001'", "1001"),
        ("int", "positive", "7", "7"),
        ("positive", "int", "7", "7"),
        ("positive", "bigint", "7", "7"),
        ("positive[]", "bigint[]", "'{7}'", "{7}"),
        ("text", "document", "'{\"a\":  1}'", '{"a": 1}'),
        ("positive", "jsonb", "7", "7"),
        ("json", "jsonb", '\'{"b":1, "a":1.0}\'', '{"a": 1.0, "b": 1}'),
        ("char(4)", "text", "'ab'", "ab"),
        ("mood", "text", "'ok'", "ok"),
        ("real", "numeric", "0.1", "0.1"),
    ],
)
def test_a_type_that_postgresql_would_assign_is_converted_with_a_warning(
    databases: Databases, source: str, target: str, value: str, expected: str
) -> None:
    schema = """
        CREATE DOMAIN positive AS int CHECK (VALUE > 0);
        CREATE DOMAIN document AS jsonb;
        CREATE TYPE mood AS ENUM ('sad', 'ok');
        """
    pair = make_pair_with_values(
        databases,
        f"{schema} CREATE TABLE t (id int PRIMARY KEY, v {source})",
        f"{schema} CREATE TABLE t (id int PRIMARY KEY, v {target})",
        value,
    )

    result = sync(pair)

    assert values_of(pair) == [expected]
    (warning,) = result.warnings
    assert warning.startswith("Column public.t.v is converted from ")
    assert sync(pair).status == "unchanged"


def test_a_type_that_only_the_target_has_and_that_reads_the_same_text_is_accepted(
    databases: Databases,
) -> None:
    # As citext is to text.
    words = """
        CREATE TYPE words;
        CREATE FUNCTION words_in(cstring) RETURNS words IMMUTABLE STRICT LANGUAGE internal
            AS 'textin';
        CREATE FUNCTION words_out(words) RETURNS cstring IMMUTABLE STRICT LANGUAGE internal
            AS 'textout';
        CREATE TYPE words (INPUT = words_in, OUTPUT = words_out, LIKE = text);
        CREATE CAST (text AS words) WITHOUT FUNCTION AS ASSIGNMENT;
        CREATE TABLE t (id int PRIMARY KEY, v words)
        """
    pair = make_pair_with_values(
        databases, "CREATE TABLE t (id int PRIMARY KEY, v text)", words, "'Ünï'"
    )

    result = sync(pair)

    assert values_of(pair) == ["Ünï"]
    assert result.warnings == ("Column public.t.v is converted from text to public.words.",)
    assert sync(pair).status == "unchanged"


@pytest.mark.parametrize(
    ("source", "target"),
    [("text", "int"), ("int", "boolean"), ("text[]", "int[]"), ("int[]", "int"), ("text", "mood")],
)
def test_a_type_that_postgresql_would_not_assign_is_refused_with_both_types(
    databases: Databases, source: str, target: str
) -> None:
    mood = "CREATE TYPE mood AS ENUM ('sad', 'ok'); "
    pair = make_pair_with_values(
        databases,
        f"{mood} CREATE TABLE t (id int PRIMARY KEY, v {source})",
        f"{mood} CREATE TABLE t (id int PRIMARY KEY, v {target})",
    )

    with pytest.raises(SchemaMismatch) as refusal:
        sync(pair)

    (there,) = pair.target.rows(
        "SELECT format_type(atttypid, NULL) FROM pg_attribute WHERE"
        " attrelid = 't'::regclass AND attname = 'v'"
    )
    assert "column public.t.v is " in str(refusal.value)
    assert there[0] in str(refusal.value)


def test_a_domain_of_another_precision_rounds_as_on_the_target(databases: Databases) -> None:
    schema = "CREATE DOMAIN price AS numeric(8,{}); CREATE TABLE t (id int PRIMARY KEY, v price)"
    pair = make_pair_with_values(databases, schema.format(4), schema.format(2), "1.005", "2.5")

    sync(pair)

    assert values_of(pair) == ["1.01", "2.50"]
    assert sync(pair).status == "unchanged"


@pytest.mark.parametrize(
    ("before", "after", "value"),
    [
        ("timestamp", "timestamptz", "2026-07-01 12:00"),
        ("timestamptz", "timestamp", "2026-07-01 12:00+00"),
        ("date", "timestamptz", "2026-07-01"),
        ("timestamptz", "date", "2026-07-01 00:30+00"),
        ("timestamp[]", "timestamptz[]", '{"2026-07-01 12:00"}'),
    ],
)
def test_a_conversion_that_depends_on_the_time_zone_says_that_it_is_utc(
    databases: Databases, before: str, after: str, value: str
) -> None:
    pair = databases.pair("CREATE TABLE t (id int PRIMARY KEY)")
    for database, of_type in zip(pair, (before, after), strict=True):
        database.execute(
            f"ALTER TABLE t ADD v {of_type};"
            f"ALTER DATABASE {database.name} SET timezone = 'America/New_York'"
        )
    pair.source.execute(f"SET timezone = 'UTC'; INSERT INTO t VALUES (1, '{value}')")

    result = sync(pair)

    (warning,) = result.warnings
    assert "in UTC" in warning
    assert sync(pair).status == "unchanged"
    in_utc = f"SELECT '{value}'::{before}::{after} FROM set_config('timezone', 'UTC', false)"
    assert pair.target.value(f"SELECT v = ({in_utc}) FROM t")
