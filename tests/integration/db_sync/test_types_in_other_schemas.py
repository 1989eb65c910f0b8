"""Types that are in different schemas on the two sides, as those of an extension may be."""

import pytest

from common.errors import SchemaMismatch
from tests.integration.db_sync.schema_pairs import make_pair
from tests.integration.db_sync.syncing import assert_same, own_tables, sync
from tests.support.databases import Databases, Pair

# One process of a parallel run starts the system's server.
EXTENSIONS = """
CREATE SCHEMA "Ext 1"; CREATE SCHEMA "Ext 2";
CREATE EXTENSION citext SCHEMA {place};
CREATE EXTENSION hstore SCHEMA {place};
CREATE TYPE {place}."Mood" AS ENUM ('sad', 'ok', 'glad');
CREATE DOMAIN {place}.feeling AS {place}."Mood" CHECK (VALUE <> 'ok');
CREATE TYPE {place}.pair AS (x int, m {place}."Mood", c {place}.citext[]);
CREATE TYPE {place}.span AS RANGE (subtype = int8);
CREATE TABLE parents (
    id {place}.citext PRIMARY KEY, mood {place}."Mood" UNIQUE, moods {place}."Mood"[],
    feeling {place}.feeling, facts {place}.hstore, pair {place}.pair, pairs {place}.pair[],
    span {place}.span, spans {place}.span_multirange, n int
);
CREATE TABLE children (
    id int PRIMARY KEY, parent {place}.citext REFERENCES parents ON DELETE CASCADE,
    mood {place}."Mood" REFERENCES parents (mood)
);
CREATE TABLE keyless (word {place}.citext, mood {place}."Mood");
"""
ROWS = """
INSERT INTO parents VALUES
    ('Ann', 'sad', '{{glad,sad}}', 'glad', 'a=>1', (1, 'sad', '{{A,b}}'),
     ARRAY[ROW(2, 'ok', NULL)]::{place}.pair[], '[1,5)', '{{[1,5)}}', 1),
    ('bob', 'ok', NULL, NULL, 'b=>NULL', NULL, NULL, 'empty', '{{}}', 2);
INSERT INTO children VALUES (1, 'ANN', 'ok'), (2, 'bob', NULL);
INSERT INTO keyless VALUES ('Word', 'glad');
"""
ONE, OTHER = '"Ext 1"', '"Ext 2"'


@pytest.fixture
def pair(system_databases: Databases) -> Pair:
    """Databases of the same tables, whose types are in different schemas; the source has rows."""
    return make_pair(
        system_databases,
        EXTENSIONS.format(place=ONE),
        EXTENSIONS.format(place=OTHER),
        ROWS.format(place=ONE),
    )


def test_types_of_the_same_name_and_definition_are_the_same_whatever_their_schema(
    pair: Pair,
) -> None:
    pair.target.execute(
        ROWS.format(place=OTHER) + "UPDATE parents SET n = 9 WHERE id = 'bob';"
        "INSERT INTO parents (id, mood) VALUES ('gone', 'glad');"
        "INSERT INTO children VALUES (3, 'gone', 'glad'); TRUNCATE keyless;"
        "UPDATE children SET parent = 'ann' WHERE id = 1"
    )

    results = [sync(pair) for _ in range(2)]

    assert [(result.status, result.warnings) for result in results] == [
        ("synced", ()),
        ("unchanged", ()),
    ]
    assert_same(pair)


def test_a_foreign_key_says_the_same_as_one_in_production_on_types_of_another_schema(
    pair: Pair,
) -> None:
    pair.source.execute(
        "SET session_replication_role = replica;"
        "INSERT INTO children VALUES (7, 'nobody', 'ok'), (8, 'bob', 'glad')"
    )

    warnings = sync(pair).warnings

    assert [warning.count("Production's rows break its own key") for warning in warnings] == [1, 1]
    assert_same(pair)


def test_a_plain_owner_can_change_a_key_of_a_type_in_another_schema_that_children_refer_to(
    pair: Pair,
) -> None:
    target = own_tables(pair, "table_owner")
    pair.target.execute('GRANT USAGE ON SCHEMA "Ext 2" TO table_owner')

    assert sync(pair, target=target).status == "synced"
    pair.source.execute("UPDATE parents SET id = 'ann' WHERE id = 'Ann'")
    assert sync(pair, target=target).status == "synced"

    assert_same(pair)


@pytest.mark.parametrize(
    ("source", "target", "message"),
    [
        ("pair AS (x int, y int)", "pair AS (y int, x int)", r"composite type a\.pair"),
        ("pair AS RANGE (subtype = int4)", "pair AS RANGE (subtype = int8)", "no assignment"),
        ("pair AS ENUM ('a')", "pair AS (x int)", "no assignment"),
        ("pair AS ENUM ('a')", "fair AS ENUM ('a')", "no assignment"),
    ],
)
def test_types_of_another_definition_in_another_schema_are_not_the_same(
    databases: Databases, source: str, target: str, message: str
) -> None:
    made = "CREATE SCHEMA {0}; CREATE TYPE {0}.{1}; CREATE TABLE t (id int, v {0}.{2})"
    pair = make_pair(
        databases,
        made.format("a", source, source.split(maxsplit=1)[0]),
        made.format("b", target, target.split(maxsplit=1)[0]),
    )

    with pytest.raises(SchemaMismatch, match=message):
        sync(pair)


def test_a_label_that_an_enum_in_another_schema_lacks_is_refused_by_name(
    databases: Databases,
) -> None:
    made = "CREATE SCHEMA {0}; CREATE TYPE {0}.m AS ENUM ({1}); CREATE TABLE t (id int, v {0}.m)"
    pair = make_pair(databases, made.format("a", "'x', 'y'"), made.format("b", "'x'"))
    pair.source.execute("INSERT INTO t VALUES (1, 'x')")
    assert sync(pair).warnings == ()
    pair.source.execute("INSERT INTO t VALUES (2, 'y')")
    with pytest.raises(SchemaMismatch, match="lacks the labels 'y', which rows of the source"):
        sync(pair)


@pytest.mark.parametrize("column", ["outward", "outward[]"])
def test_a_composite_inside_another_with_other_fields_is_refused(
    databases: Databases, column: str
) -> None:
    made = (
        "CREATE TYPE inward AS ({}); CREATE TYPE outward AS (n int, i inward[]);"
        f"CREATE TABLE t (id int PRIMARY KEY, v {column})"
    )
    pair = make_pair(databases, made.format("x int, y int"), made.format("y int, x int"))

    with pytest.raises(SchemaMismatch, match=r"public\.t\.v .*composite type public\.inward"):
        sync(pair)
