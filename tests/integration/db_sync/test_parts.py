"""A sync in parts by several processes: the end state is the snapshot, as after a sync in one."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from common.errors import SchemaMismatch, StagingSyncError, SyncInProgress
from common.masking.keys import MaskKey
from common.postgres.waits import Retry, Waits
from db_sync.parts import dividing, jobs
from db_sync.parts.part import Division
from db_sync.rules import SyncRules
from tests.integration.db_sync.parts import (
    ROWS,
    SHOP,
    at_the_beginning,
    at_the_end,
    sync_divided,
)
from tests.integration.db_sync.syncing import assert_same, own_tables, sync
from tests.integration.db_sync.test_broken_indexes import write_unseen
from tests.support.databases import Databases

CHANGES = """
UPDATE orders SET note = 'changed' WHERE id % 977 = 0;
DELETE FROM lines WHERE "order" % 1009 = 0;
INSERT INTO orders SELECT 9000000000000 + i, 1, 'new' FROM generate_series(1, 50) i;
UPDATE tokens SET label = upper(label) WHERE token::text LIKE '7%';
DELETE FROM words WHERE word LIKE '%7';
INSERT INTO words VALUES ('ein neues', 'Wort');
UPDATE people SET email = 'other' || id || '@example.com' WHERE id < 20;
INSERT INTO events VALUES ('2020-01-01', 'old');
"""


@pytest.fixture
def divisions(monkeypatch: pytest.MonkeyPatch) -> list[Division]:
    """The divisions that are made."""
    made: list[Division] = []

    def divide(*arguments: Any) -> Division:
        made.append(dividing.divide(*arguments))
        return made[-1]

    monkeypatch.setattr(jobs, "divide", divide)
    return made


@pytest.fixture(autouse=True)
def processes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads instead of processes, which take a second to start, unless a test asks for these."""
    if "real_processes" not in request.fixturenames:
        monkeypatch.setattr(jobs, "processes", ThreadPoolExecutor)


@pytest.fixture
def real_processes() -> None:
    """Whoever asks for it gets processes."""


def parts_of(division: Division, table: str) -> int:
    return sum(str(name) == f"public.{table}" for part in division.parts for name in part.tables)


@pytest.mark.usefixtures("real_processes")
def test_a_first_load_in_parts_arrives_identical(
    databases: Databases, divisions: list[Division]
) -> None:
    pair = databases.pair(SHOP, source=ROWS)
    result = sync_divided(pair)
    assert_same(pair)
    assert (result.status, result.verified, result.atomic) == ("synced", True, False)
    assert {table.table: (table.rows, table.rows_inserted) for table in result.tables} == {
        "public.people": (600, 600),
        "public.orders": (2400, 2400),
        "public.lines": (7200, 7200),
        "public.tokens": (2400, 2400),
        "public.words": (2400, 2400),
        "public.events": (500, 500),
    }
    (division,) = divisions
    tables = ("orders", "lines", "tokens", "words")
    assert all(parts_of(division, table) > 1 for table in tables)
    assert parts_of(division, "events") == 1


def test_changes_in_a_filled_target_arrive_and_nothing_else_is_written(
    databases: Databases, divisions: list[Division]
) -> None:
    pair = databases.pair(SHOP, source=ROWS, target=ROWS)
    pair.source.execute(CHANGES)
    result = sync_divided(pair)
    assert_same(pair)
    changes = {
        table.table: (table.rows_inserted, table.rows_updated, table.rows_deleted)
        for table in result.tables
    }
    once = databases.pair(SHOP, source=ROWS, target=ROWS)
    once.source.execute(CHANGES)
    assert changes == {
        table.table: (table.rows_inserted, table.rows_updated, table.rows_deleted)
        for table in sync(once).tables
    }
    (division,) = divisions
    assert parts_of(division, "lines") > 1
    assert parts_of(division, "people") == 1  # their addresses move between them


def test_a_second_run_changes_nothing(databases: Databases) -> None:
    pair = databases.pair(SHOP, source=ROWS)
    sync_divided(pair)
    result = sync_divided(pair)
    assert (result.status, result.verified) == ("unchanged", True)


def test_what_production_writes_meanwhile_is_not_copied(databases: Databases) -> None:
    pair = databases.pair(SHOP, source=ROWS)
    before = pair.source.contents()
    sync_divided(pair, meanwhile=at_the_beginning(lambda: pair.source.execute(CHANGES)))
    assert pair.target.contents() == before
    assert pair.source.contents() != before


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM orders WHERE id = 2000",
        'DELETE FROM lines WHERE "order" = 2000; DELETE FROM orders WHERE id = 2000',
        "INSERT INTO tokens VALUES (gen_random_uuid(), 'a tester''s')",
        "INSERT INTO orders VALUES (-5, 1, 'a tester''s'); INSERT INTO lines VALUES (-5, 1, 1)",
    ],
)
def test_rows_that_the_application_adds_or_deletes_meanwhile_are_put_right(
    databases: Databases, statement: str
) -> None:
    pair = databases.pair(SHOP, source=ROWS)

    def act() -> None:
        # As an application does without foreign keys: they would refuse the first one.
        pair.target.execute(f"SET session_replication_role = replica; {statement}")

    result = sync_divided(pair, meanwhile=at_the_end(act))
    assert_same(pair)
    assert result.verified


def test_a_parent_that_the_application_deletes_meanwhile_comes_back(databases: Databases) -> None:
    """Its table is not divided, so that only the foreign key tells."""
    pair = databases.pair(SHOP, source=ROWS)
    forget = "SET session_replication_role = replica; DELETE FROM people WHERE id = 77"
    sync_divided(pair, meanwhile=at_the_end(lambda: pair.target.execute(forget)))
    assert_same(pair)


def test_a_row_that_breaks_a_constraint_of_staging_fails_its_part_only(
    databases: Databases,
) -> None:
    pair = databases.pair(SHOP, source=ROWS)
    pair.target.execute("ALTER TABLE tokens ADD CONSTRAINT short CHECK (label <> 'label 471')")
    schema = pair.target.schema()
    with pytest.raises(SchemaMismatch, match=r"public\.tokens.*short") as raised:
        sync_divided(pair)
    assert "start again to go on" in str(raised.value)
    assert "label 471" not in str(raised.value)
    assert pair.target.schema() == schema

    pair.target.execute("ALTER TABLE tokens DROP CONSTRAINT short")
    sync_divided(pair)
    assert_same(pair)


def test_foreign_keys_that_production_lacks_are_checked(databases: Databases) -> None:
    pair = databases.pair(SHOP, source=ROWS)
    pair.source.execute(
        "ALTER TABLE orders DROP CONSTRAINT orders_person_fkey",
        "UPDATE orders SET person = 99999 WHERE id = 2000",
    )
    with pytest.raises(SchemaMismatch, match=r"1 rows of public\.orders break its foreign key"):
        sync_divided(pair)


def test_rows_that_break_productions_own_key_are_warned_of(databases: Databases) -> None:
    pair = databases.pair(SHOP, source=ROWS)
    pair.source.execute(
        "ALTER TABLE orders DROP CONSTRAINT orders_person_fkey",
        "UPDATE orders SET person = 99999 WHERE id = 2000",
        "ALTER TABLE orders ADD CONSTRAINT orders_person_fkey FOREIGN KEY (person)"
        " REFERENCES people NOT VALID",
    )
    result = sync_divided(pair)
    assert pair.target.contents() == pair.source.contents()
    assert any("in the same way" in warning for warning in result.warnings)


def test_rows_that_break_productions_own_valid_key_are_warned_of(databases: Databases) -> None:
    """As a replication leaves them, whose writes no key checks."""
    pair = databases.pair(SHOP, source=ROWS)
    pair.source.execute(
        "SET session_replication_role = replica; UPDATE orders SET person = 99999 WHERE id = 2000"
    )
    result = sync_divided(pair)
    assert_same(pair)
    assert any("in the same way" in warning for warning in result.warnings)


@pytest.mark.parametrize("side", ["source", "target"])
def test_a_table_that_is_partitioned_on_one_side_only_is_divided(
    databases: Databases, divisions: list[Division], side: str
) -> None:
    plain = "CREATE TABLE t (id bigint PRIMARY KEY, v text)"
    partitioned = f"""
        {plain} PARTITION BY RANGE (id);
        CREATE TABLE low PARTITION OF t FOR VALUES FROM (MINVALUE) TO (4000);
        CREATE TABLE high (v text, dropped int, id bigint NOT NULL);
        ALTER TABLE high DROP dropped;
        ALTER TABLE t ATTACH PARTITION high FOR VALUES FROM (4000) TO (MAXVALUE)
    """
    pair = databases.pair("")
    pair.source.execute(partitioned if side == "source" else plain)
    pair.target.execute(partitioned if side == "target" else plain)
    pair.source.execute("INSERT INTO t SELECT i, 'row ' || i FROM generate_series(1, 8000) i")
    result = sync_divided(pair)
    assert result.verified
    assert pair.target.rows("TABLE t ORDER BY id") == pair.source.rows("TABLE t ORDER BY id")
    assert parts_of(divisions[0], "t") > 1


def test_forced_row_security_hides_no_row_without_a_parent(databases: Databases) -> None:
    pair = databases.pair(SHOP, source=ROWS)
    owner = own_tables(pair, "owner_of_parts")
    pair.target.execute(
        "GRANT SET ON PARAMETER session_replication_role TO owner_of_parts",
        "ALTER MATERIALIZED VIEW totals OWNER TO owner_of_parts",
        "ALTER TABLE orders ENABLE ROW LEVEL SECURITY",
        "ALTER TABLE orders FORCE ROW LEVEL SECURITY",
    )
    schema = pair.target.schema()
    sync_divided(pair, target=owner)
    assert_same(pair)
    assert pair.target.schema() == schema

    pair.source.execute(
        "ALTER TABLE orders DROP CONSTRAINT orders_person_fkey",
        "UPDATE orders SET person = 99999 WHERE id = 2000",
    )
    with pytest.raises(SchemaMismatch, match=r"1 rows of public\.orders break its foreign key"):
        sync_divided(pair, target=owner)


@pytest.mark.parametrize("side", ["source", "target"])
def test_rows_that_an_index_lacks_are_never_verified(databases: Databases, side: str) -> None:
    schema = "CREATE TABLE t (id bigint PRIMARY KEY, v text)"
    rows = "INSERT INTO t SELECT i, 'row ' || i FROM generate_series(1, 10000) i; ANALYZE t"
    pair = databases.pair(schema, source=rows, target=rows)
    database = pair.source if side == "source" else pair.target
    write_unseen(database, "INSERT INTO t VALUES (40000, 'unseen')")
    with pytest.raises(StagingSyncError, match="REINDEX"):
        sync_divided(pair)


def test_masked_rows_arrive_masked(databases: Databases) -> None:
    pair = databases.pair(SHOP, source=ROWS)
    rules = SyncRules.parse(
        '{"mask": {"public.people.email": "email", "public.tokens.label": "text"}}'
    )
    key = MaskKey("k" * 32)
    once = databases.pair(SHOP, source=ROWS)
    sync(once, rules=rules, mask_key=key)
    sync_divided(pair, rules=rules, mask_key=key)
    assert pair.target.contents() == once.target.contents()


def test_a_kept_column_is_filled_by_the_first_load_and_kept_from_then_on(
    databases: Databases,
) -> None:
    pair = databases.pair(SHOP, source=ROWS)
    rules = SyncRules.parse('{"keep": ["public.orders.note"]}')
    sync_divided(pair, rules=rules)
    assert_same(pair)
    pair.source.execute("UPDATE orders SET note = 'production''s' WHERE id = 2")
    pair.target.execute("UPDATE orders SET note = 'staging''s' WHERE id = 2")
    assert sync_divided(pair, rules=rules).status == "unchanged"
    assert pair.target.rows("SELECT note FROM orders WHERE id = 2") == [("staging's",)]


def test_another_run_waits_for_none_of_the_parts(databases: Databases) -> None:
    pair = databases.pair(SHOP, source=ROWS)
    refused: list[str] = []

    def other() -> None:
        with pytest.raises(SyncInProgress) as raised:
            sync(pair, waits=Waits(run_lock=Retry(0.5, pause=0.1)))
        refused.append(str(raised.value))

    sync_divided(pair, meanwhile=at_the_beginning(other))
    assert "Execution test" in refused[0]
    assert_same(pair)
