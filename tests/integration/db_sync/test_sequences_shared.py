"""A sequence follows production if a synced column uses it, whichever table owns it."""

import pytest

from db_sync.rules import SyncRules
from tests.integration.db_sync.syncing import sync
from tests.support.databases import Databases, Pair

# orders takes its numbers from the sequence of a table that is not synced.
SHARED = """
CREATE TABLE audit (id serial PRIMARY KEY, what text);
CREATE TABLE orders (id int PRIMARY KEY DEFAULT nextval('audit_id_seq'));
"""
WITHOUT_AUDIT = SyncRules.parse('{"exclude": ["public.audit"]}')
BY_DOMAIN = """
CREATE TABLE audit (id serial PRIMARY KEY, what text);
CREATE DOMAIN number AS int DEFAULT nextval('audit_id_seq');
CREATE TABLE orders (id number PRIMARY KEY);
"""
BY_PARTITION = """
CREATE TABLE audit (id serial PRIMARY KEY, what text);
CREATE TABLE orders (id int PRIMARY KEY) PARTITION BY RANGE (id);
CREATE TABLE first PARTITION OF orders (id DEFAULT nextval('audit_id_seq'))
    FOR VALUES FROM (1) TO (1000);
"""


@pytest.mark.parametrize("schema", [SHARED, BY_DOMAIN, BY_PARTITION])
def test_one_owned_by_an_unsynced_table_follows_because_a_synced_column_uses_it(
    databases: Databases, schema: str
) -> None:
    into = "first" if schema == BY_PARTITION else "orders"
    pair = databases.pair(schema, source=f"INSERT INTO {into} SELECT FROM generate_series(1, 40)")

    result = sync(pair, rules=WITHOUT_AUDIT)

    assert result.sequences == ("public.audit_id_seq",)
    pair.target.execute(f"INSERT INTO {into} DEFAULT VALUES")
    assert pair.target.value("SELECT max(id) FROM orders") == 41


def test_one_shared_with_an_unsynced_table_never_goes_back(databases: Databases) -> None:
    pair = databases.pair(
        SHARED,
        source="INSERT INTO orders SELECT FROM generate_series(1, 40)",
        target="INSERT INTO audit (what) SELECT 'ours' FROM generate_series(1, 90)",
    )

    result = sync(pair, rules=WITHOUT_AUDIT)

    assert result.sequences == ()
    pair.target.execute("INSERT INTO audit (what) VALUES ('next')")
    assert pair.target.value("SELECT max(id) FROM audit") == 91
    assert sync(pair, rules=WITHOUT_AUDIT).status == "unchanged"


def test_a_shared_one_that_counts_down_never_goes_up_again(databases: Databases) -> None:
    down = (
        SHARED
        + "ALTER SEQUENCE audit_id_seq INCREMENT -1 MINVALUE -1000 MAXVALUE -1 START -1 RESTART;"
    )
    restart = "ALTER SEQUENCE audit_id_seq RESTART WITH {};"
    pair = databases.pair(down, source=restart.format(-40), target=restart.format(-90))

    sync(pair, rules=WITHOUT_AUDIT)

    assert pair.target.value("SELECT nextval('audit_id_seq')") == -90


OWNED, FREE = "ALTER SEQUENCE ids OWNED BY t.id", "ALTER SEQUENCE ids OWNED BY NONE"
NUMBERS = """
CREATE SEQUENCE ids;
CREATE TABLE t (id int PRIMARY KEY);
"""


@pytest.mark.parametrize(("in_source", "in_target"), [(OWNED, FREE), (FREE, OWNED)])
def test_one_that_is_owned_on_one_side_only_follows_the_one_of_the_same_name(
    databases: Databases, in_source: str, in_target: str
) -> None:
    pair = databases.pair(NUMBERS, source=in_source, target=in_target)
    pair.source.execute("SELECT setval('ids', 70)")

    result = sync(pair)

    assert result.warnings == ()
    assert pair.target.value("SELECT nextval('ids')") == 71


def test_one_with_another_name_follows_those_of_the_columns_that_use_it(
    databases: Databases,
) -> None:
    tables = """
        CREATE TABLE a (id int PRIMARY KEY DEFAULT nextval('{}'));
        CREATE TABLE b (id int PRIMARY KEY DEFAULT nextval('{}'));
        """
    pair = Pair(
        databases.make("CREATE SEQUENCE one; CREATE SEQUENCE two;" + tables.format("one", "two")),
        databases.make("CREATE SEQUENCE shared;" + tables.format("shared", "shared")),
    )
    pair.target.mark()
    pair.source.execute(
        "INSERT INTO a SELECT FROM generate_series(1, 20);"
        "INSERT INTO b SELECT FROM generate_series(1, 30)"
    )

    result = sync(pair)

    assert result.warnings == ()
    assert pair.target.value("SELECT nextval('shared')") == 31
    assert sync(pair).sequences == ("public.shared",)  # because of the nextval above


def test_a_dry_run_reports_a_shared_one(databases: Databases) -> None:
    pair = databases.pair(SHARED, source="INSERT INTO orders SELECT FROM generate_series(1, 40)")

    assert sync(pair, rules=WITHOUT_AUDIT, dry_run=True).sequences == ("public.audit_id_seq",)
    assert pair.target.value("SELECT nextval('audit_id_seq')") == 1
