"""Columns of another type, and of a type that has the same name and is another one."""

import pytest

from common.errors import SchemaMismatch
from tests.integration.db_sync.syncing import assert_same, sync
from tests.support.databases import Databases, Pair

MOOD = "CREATE TYPE mood AS ENUM ('sad', 'ok', 'glad'); CREATE TABLE t (id int PRIMARY KEY, v {})"
OLD_MOOD = MOOD.replace(", 'glad'", "")


def make_pair(databases: Databases, source: str, target: str, *rows: str) -> Pair:
    """Return databases of two schemas; `rows` are the source's values of column v."""
    pair = Pair(databases.make("", source), databases.make("", target))
    pair.target.mark()
    for key, value in enumerate(rows, 1):
        pair.source.execute(f"INSERT INTO t VALUES ({key}, {value})")
    return pair


def values_of(pair: Pair) -> list[str]:
    return [value for (value,) in pair.target.rows("SELECT v::text FROM t ORDER BY id")]


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
    pair = make_pair(
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


def test_a_type_that_the_source_lacks_and_that_reads_the_same_text_takes_it(
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
    pair = make_pair(databases, "CREATE TABLE t (id int PRIMARY KEY, v text)", words, "'Ünï'")

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
    pair = make_pair(
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


def test_a_domain_of_another_precision_rounds_as_the_target_does(databases: Databases) -> None:
    schema = "CREATE DOMAIN price AS numeric(8,{}); CREATE TABLE t (id int PRIMARY KEY, v price)"
    pair = make_pair(databases, schema.format(4), schema.format(2), "1.005", "2.5")

    sync(pair)

    assert values_of(pair) == ["1.01", "2.50"]
    assert sync(pair).status == "unchanged"


def test_a_column_generated_in_the_target_only_is_left_to_it_with_a_warning(
    databases: Databases,
) -> None:
    pair = make_pair(
        databases,
        "CREATE TABLE t (id int PRIMARY KEY, v int)",
        "CREATE TABLE t (id int PRIMARY KEY, v int GENERATED ALWAYS AS (id * 2) STORED)",
        "5",
    )

    result = sync(pair)

    assert values_of(pair) == ["2"]
    assert result.warnings == (
        "Column public.t.v is generated in the target only and is not copied.",
    )


def test_a_column_generated_in_the_source_only_is_copied(databases: Databases) -> None:
    pair = make_pair(
        databases,
        "CREATE TABLE t (id int PRIMARY KEY, v int GENERATED ALWAYS AS (id * 2) STORED)",
        "CREATE TABLE t (id int PRIMARY KEY, v int)",
        "DEFAULT",
    )

    sync(pair)

    assert values_of(pair) == ["2"]


def test_a_column_of_the_target_only_whose_domain_wants_a_value_is_refused(
    databases: Databases,
) -> None:
    pair = make_pair(
        databases,
        "CREATE TABLE t (id int PRIMARY KEY)",
        "CREATE DOMAIN given AS text NOT NULL; CREATE TABLE t (id int PRIMARY KEY, v given)",
    )

    with pytest.raises(
        SchemaMismatch, match=r"public\.t\.v exists in the target only, is NOT NULL"
    ):
        sync(pair)


@pytest.mark.parametrize(
    ("column", "used"),
    [
        ("mood", "'glad'"),
        ("mood[]", "'{ok,glad,NULL}'"),
        ("feeling", "'glad'"),
        ("feelings", "'{{sad},{glad}}'"),
        ("feeling[]", "'{glad}'"),
    ],
)
def test_a_label_that_the_target_lacks_and_a_row_uses_is_refused_by_name(
    databases: Databases, column: str, used: str
) -> None:
    domains = "; CREATE DOMAIN feeling AS mood; CREATE DOMAIN feelings AS mood[]; CREATE TABLE t "
    pair = make_pair(
        databases,
        MOOD.replace("; CREATE TABLE t ", domains).format(column),
        OLD_MOOD.replace("; CREATE TABLE t ", domains).format(column),
        "NULL",
        used,
    )

    with pytest.raises(SchemaMismatch, match=r"column public\.t\.v is public\.\w+(\[\])? in") as no:
        sync(pair)

    assert "lacks the labels 'glad', which rows of the source use" in str(no.value)
    assert values_of(pair) == []


def test_a_label_that_the_target_lacks_and_no_row_uses_is_no_matter(databases: Databases) -> None:
    pair = make_pair(databases, MOOD.format("mood"), OLD_MOOD.format("mood"), "'ok'", "NULL")

    assert sync(pair).warnings == ()
    assert values_of(pair) == ["ok", None]


def test_labels_in_another_order_are_no_matter(databases: Databases) -> None:
    pair = make_pair(
        databases,
        MOOD.format("mood"),
        MOOD.replace("'sad', 'ok', 'glad'", "'glad', 'bored', 'ok', 'sad'").format("mood"),
        "'glad'",
        "'sad'",
    )

    sync(pair)

    assert values_of(pair) == ["glad", "sad"]
    assert sync(pair).status == "unchanged"


def test_used_labels_are_reported_together_with_every_other_reason(databases: Databases) -> None:
    source = MOOD.format("mood") + "; CREATE TABLE u (a mood, b text); CREATE TABLE w (a mood)"
    target = OLD_MOOD.format("mood") + "; CREATE TABLE u (a mood, b int); CREATE TABLE w (a mood)"
    pair = make_pair(databases, source, target, "'glad'")
    pair.source.execute("INSERT INTO u VALUES ('ok', 'x'); INSERT INTO w VALUES ('glad')")

    with pytest.raises(SchemaMismatch) as refusal:
        sync(pair)

    message = str(refusal.value)
    for named in ("column public.t.v", "column public.w.a", "column public.u.b"):
        assert named in message
    assert "public.u.a" not in message


@pytest.mark.parametrize("column", ["pair", "pair[]", "couple"])
def test_a_composite_type_with_other_fields_is_refused_with_both(
    databases: Databases, column: str
) -> None:
    schema = (
        "CREATE TYPE pair AS ({}); CREATE DOMAIN couple AS pair;"
        f"CREATE TABLE t (id int PRIMARY KEY, v {column})"
    )
    pair = make_pair(databases, schema.format("x int, y int"), schema.format("y int, x int"))

    with pytest.raises(SchemaMismatch, match=r"public\.t\.v is of the composite type public\.pair"):
        sync(pair)


@pytest.mark.parametrize("column", ["couple", "couple[]"])
def test_a_row_type_with_other_fields_is_refused_with_both(
    databases: Databases, column: str
) -> None:
    schema = "CREATE TABLE couple ({}); CREATE TABLE t (id int PRIMARY KEY, v " + column + ")"
    pair = make_pair(databases, schema.format("x int, y int"), schema.format("y int, x int"))

    with pytest.raises(SchemaMismatch, match=r"public\.t\.v is of the composite type public\.co"):
        sync(pair)


def test_a_label_inside_of_a_composite_is_refused_where_it_is_written(databases: Databases) -> None:
    field = "; CREATE TYPE state AS (m mood); CREATE TABLE t "
    pair = make_pair(
        databases,
        MOOD.replace("; CREATE TABLE t ", field).format("state"),
        OLD_MOOD.replace("; CREATE TABLE t ", field).format("state"),
        "ROW('glad')",
    )

    with pytest.raises(SchemaMismatch, match=r"column v.*The table is public\.t\.") as refusal:
        sync(pair)

    assert "glad" not in str(refusal.value)


@pytest.mark.parametrize("declared", ['"Mood {0} %s"', '"of ""it"""'])
def test_types_of_awkward_names_are_cast_and_their_labels_looked_up(
    databases: Databases, declared: str
) -> None:
    schema = f"""
        CREATE TYPE {declared} AS ENUM ('a', 'it''s {{}} %s');
        CREATE DOMAIN "d {{}} %s" AS {declared};
        CREATE TABLE t (id int PRIMARY KEY, v "d {{}} %s"[], w {declared})
        """
    pair = databases.pair(
        schema,
        source="INSERT INTO t VALUES (1, ARRAY['it''s {} %s', 'a']::" + declared + "[], 'a')",
        target="INSERT INTO t VALUES (1, NULL, NULL)",
    )
    pair.source.execute(f"ALTER TYPE {declared} ADD VALUE 'new {{}} %s'")

    sync(pair)

    assert_same(pair)
    pair.source.execute("UPDATE t SET w = 'new {} %s'")
    with pytest.raises(SchemaMismatch, match=r"'new \{\} %s', which rows of the source"):
        sync(pair)


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
    assert "taken for UTC" in warning
    assert sync(pair).status == "unchanged"
    in_utc = f"SELECT '{value}'::{before}::{after} FROM set_config('timezone', 'UTC', false)"
    assert pair.target.value(f"SELECT v = ({in_utc}) FROM t")
