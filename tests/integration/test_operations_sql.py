"""The SQL of docs/operations.md does what the page says, as it stands there."""

import contextlib

import psycopg2
import pytest

from common.errors import DatabaseUnavailable, TargetNotAllowed
from common.postgres.database import connect
from db_sync.run import SyncOptions
from db_sync.sync import sync_database
from sandbox.database import Database
from tests.support.databases import Databases, Pair
from tests.support.pages import blocks, read_page
from tests.support.waiting import wait_until

STATEMENTS = blocks(read_page("operations.md"), "sql")
NAME = "shop"  # what the page calls the database
MARK, UNMARK = "IS 'staging-sync target'", "IS NULL;"
LIST_MARKED, LIST_RUNS, END_RUNS = "shobj_description", "SELECT pid, application", "SELECT pg_term"
LIST_BUSY, LIST_TRIGGERS, SET_PASSWORD = "usename", "pg_trigger", "ALTER ROLE"
LARGEST = "octet_length"


def statement(words: str, database: Database) -> str:
    """Return the page's one statement with these words, about this database."""
    (found,) = (each for each in STATEMENTS if words in each)
    return found.replace(f"DATABASE {NAME}", f"DATABASE {database.name}")


@pytest.fixture
def pair(databases: Databases) -> Pair:
    return databases.pair("CREATE TABLE users (id int PRIMARY KEY)", "INSERT INTO users VALUES (1)")


def sync(pair: Pair) -> str:
    return sync_database(pair.source.address, pair.target.address, SyncOptions("run-1")).status


def test_a_target_is_marked_and_unmarked(pair: Pair) -> None:
    pair.target.execute(statement(UNMARK, pair.target))
    with pytest.raises(TargetNotAllowed):
        sync(pair)
    assert pair.target.rows(statement(LIST_MARKED, pair.target)) == [(pair.target.name, None)]

    pair.target.execute(statement(MARK, pair.target))

    assert sync(pair) == "synced"
    marked = [(pair.target.name, "staging-sync target")]
    assert pair.target.rows(statement(LIST_MARKED, pair.target)) == marked


def test_who_is_at_work_is_listed_and_ended_and_nobody_else(pair: Pair) -> None:
    list_runs = statement(LIST_RUNS, pair.target)
    with (
        contextlib.closing(pair.target.connect()) as somebody_else,
        connect(pair.target.address, "target", execution="run-1") as run,
    ):
        run.begin()
        ((_, name, state, _),) = pair.target.rows(list_runs)
        assert (name, state) == ("staging-sync run-1", "idle in transaction")

        pair.target.execute(statement(END_RUNS, pair.target))

        wait_until(lambda: pair.target.rows(list_runs) == [], "no run is listed")
        with pytest.raises(DatabaseUnavailable):
            run.execute("SELECT 1")
        with somebody_else.cursor() as cursor:
            cursor.execute("SELECT 1")


def test_who_holds_a_lock_for_long_is_listed(pair: Pair) -> None:
    busy = statement(LIST_BUSY, pair.target).replace("1 minute", "0 seconds")
    assert "interval '0 seconds'" in busy
    with contextlib.closing(pair.target.connect()) as holder, holder.cursor() as cursor:
        cursor.execute("LOCK TABLE users")
        listed = pair.target.rows(busy)
    assert "LOCK TABLE users" in [query for *_, query in listed]


def test_what_changes_values_on_their_way_in_is_listed(pair: Pair) -> None:
    pair.target.execute(
        "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';"
        "CREATE TRIGGER always BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION f();"
        "ALTER TABLE users ENABLE ALWAYS TRIGGER always;"
        "CREATE RULE swallow AS ON DELETE TO users DO INSTEAD NOTHING"
    )
    assert pair.target.rows(statement(LIST_TRIGGERS, pair.target)) == [
        ("users", "always", "A"),
        ("users", "swallow", "O"),
    ]


def test_a_role_gets_another_password(pair: Pair) -> None:
    change = statement(SET_PASSWORD, pair.target)
    with contextlib.closing(psycopg2.connect(pair.target.url)) as connection:
        with connection.cursor() as cursor:  # a role belongs to the server: nothing is committed
            cursor.execute("CREATE ROLE staging_sync_reader")
            cursor.execute(change)
            cursor.execute(
                "SELECT rolpassword FROM pg_authid WHERE rolname = 'staging_sync_reader'"
            )
            assert cursor.fetchone() != (None,)
        connection.rollback()


def test_the_largest_value_is_told(pair: Pair) -> None:
    pair.source.execute(
        "CREATE TABLE documents (body text); INSERT INTO documents SELECT repeat('x', 3000000)"
    )
    assert pair.source.rows(statement(LARGEST, pair.source)) == [("2930 kB",)]


def test_every_statement_of_the_page_is_tried_here() -> None:
    tried = (MARK, UNMARK, LIST_MARKED, LIST_RUNS, END_RUNS, LIST_BUSY, LIST_TRIGGERS, SET_PASSWORD)
    assert len(STATEMENTS) == len((*tried, LARGEST))
