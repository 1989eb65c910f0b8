"""Columns of types that have the same name on both sides, but other labels or fields."""

import pytest

from common.errors import SchemaMismatch
from tests.integration.db_sync.schema_pairs import make_pair_with_values, values_of
from tests.integration.db_sync.syncing import assert_same, sync
from tests.support.databases import Databases

MOOD = "CREATE TYPE mood AS ENUM ('sad', 'ok', 'glad'); CREATE TABLE t (id int PRIMARY KEY, v {})"
OLD_MOOD = MOOD.replace(", 'glad'", "")


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
    pair = make_pair_with_values(
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


def test_a_label_that_the_target_lacks_and_no_row_uses_does_not_matter(
    databases: Databases,
) -> None:
    pair = make_pair_with_values(
        databases, MOOD.format("mood"), OLD_MOOD.format("mood"), "'ok'", "NULL"
    )

    assert sync(pair).warnings == ()
    assert values_of(pair) == ["ok", None]


def test_the_order_of_labels_does_not_matter(databases: Databases) -> None:
    pair = make_pair_with_values(
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
    pair = make_pair_with_values(databases, source, target, "'glad'")
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
    pair = make_pair_with_values(
        databases, schema.format("x int, y int"), schema.format("y int, x int")
    )

    with pytest.raises(SchemaMismatch, match=r"public\.t\.v is of the composite type public\.pair"):
        sync(pair)


@pytest.mark.parametrize("column", ["couple", "couple[]"])
def test_a_row_type_with_other_fields_is_refused_with_both(
    databases: Databases, column: str
) -> None:
    schema = "CREATE TABLE couple ({}); CREATE TABLE t (id int PRIMARY KEY, v " + column + ")"
    pair = make_pair_with_values(
        databases, schema.format("x int, y int"), schema.format("y int, x int")
    )

    with pytest.raises(SchemaMismatch, match=r"public\.t\.v is of the composite type public\.co"):
        sync(pair)


def test_a_label_inside_a_composite_is_refused_where_it_is_written(databases: Databases) -> None:
    field = "; CREATE TYPE state AS (m mood); CREATE TABLE t "
    pair = make_pair_with_values(
        databases,
        MOOD.replace("; CREATE TABLE t ", field).format("state"),
        OLD_MOOD.replace("; CREATE TABLE t ", field).format("state"),
        "ROW('glad')",
    )

    with pytest.raises(SchemaMismatch, match=r"column v.*The table is public\.t\.") as refusal:
        sync(pair)

    assert "glad" not in str(refusal.value)


@pytest.mark.parametrize("declared", ['"Mood {0} %s"', '"of ""it"""'])
def test_types_with_special_characters_in_their_names_are_cast_and_their_labels_looked_up(
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
