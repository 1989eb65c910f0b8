"""Sessions that read staging while a sync writes continue or wait; the sync never cancels them."""

import contextlib
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.integration.db_sync.syncing import assert_same, own_tables, sync
from tests.support.databases import Databases, Pair
from tests.support.waiting import wait_until

FAMILY = """
CREATE TABLE parent (id serial PRIMARY KEY, v text);
CREATE TABLE child (id int PRIMARY KEY, parent_id int REFERENCES parent, v text)
"""
FAMILY_ROWS = """
INSERT INTO parent SELECT i, 'parent' FROM generate_series(1, 1000) AS i;
INSERT INTO child SELECT i, i, 'child' FROM generate_series(1, 1000) AS i
"""
KEYLESS = "CREATE TABLE a (v int); CREATE TABLE m (v int); CREATE TABLE z (v int)"
KEYLESS_ROWS = "INSERT INTO a VALUES ({0}); INSERT INTO m VALUES ({0}); INSERT INTO z VALUES ({0})"


def wait_for_lock_wait(pair: Pair, who: str) -> None:
    """Wait until a session whose application_name begins with `who` waits for a lock."""
    query = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        f" AND wait_event_type = 'Lock' AND application_name LIKE '{who}%'"
    )
    wait_until(lambda: pair.target.value(query), f"{who} waits")


def execute(connection: Any, *statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def test_readers_continue_after_the_tables_owner_has_written_rows(
    databases: Databases,
) -> None:
    pair = databases.pair(FAMILY, source=FAMILY_ROWS, target=FAMILY_ROWS)
    pair.source.execute("UPDATE parent SET v = 'new' WHERE id = 7")
    pair.source.execute("SELECT setval('parent_id_seq', 1000)")
    pair.source.execute("UPDATE child SET v = 'new' WHERE id = 7")
    owner = own_tables(pair, "readers_owner")

    with ThreadPoolExecutor(1) as thread:
        with (
            contextlib.closing(pair.target.connect()) as holder,
            contextlib.closing(pair.target.connect()) as reader,
        ):
            # The sync waits for this lock after it has written every row, to set the sequence.
            execute(holder, "SELECT nextval('parent_id_seq')")
            syncing = thread.submit(sync, pair, target=owner)
            wait_for_lock_wait(pair, "staging-sync")
            execute(reader, "SET statement_timeout = '1s'", "TABLE parent", "TABLE child")
        syncing.result()

    assert_same(pair)


def test_a_reader_of_several_replaced_tables_waits_and_is_not_cancelled(
    databases: Databases,
) -> None:
    pair = databases.pair(KEYLESS, source=KEYLESS_ROWS.format(1), target=KEYLESS_ROWS.format(2))

    with (
        contextlib.closing(pair.target.connect()) as reader,
        ThreadPoolExecutor(2) as threads,
    ):
        execute(reader, "SET application_name = 'reader'", "TABLE z")
        with contextlib.closing(pair.target.connect()) as other:
            execute(other, "TABLE m")
            syncing = threads.submit(sync, pair)
            wait_for_lock_wait(pair, "staging-sync")  # it has locked a, and waits for m
            reading = threads.submit(execute, reader, "TABLE a")
            wait_for_lock_wait(pair, "reader")
        reading.result()  # although the sync then wants z, which the reader holds
        reader.rollback()
        syncing.result()

    assert_same(pair)
