"""More tables and sequences than a server has room to lock, or than one statement could name."""

from collections.abc import Iterator

import pytest

from common.errors import ConfigurationError
from sandbox.postgres import temporary_server
from tests.integration.db_sync.syncing import assert_same, sync
from tests.support.databases import Databases, Pair

# Room for some 600 locks of all sessions, and for statements without deep nesting.
SMALL = {
    "max_locks_per_transaction": "10",
    "max_connections": "24",
    "autovacuum_max_workers": "1",
    "max_worker_processes": "0",
    "max_wal_senders": "0",
    "max_stack_depth": "100kB",
}


@pytest.fixture(scope="module")
def small_server() -> Iterator[Databases]:
    with temporary_server(settings=SMALL) as server:
        yield Databases(server)


def pair_of(small_server: Databases, several: int, statements: str) -> Pair:
    """Return a pair in which statements ran for each number, twenty of them in a transaction."""
    pair = small_server.pair(";".join(statements.format(0).split(";")))
    for first in range(1, several, 20):
        some = range(first, min(first + 20, several))
        for database in pair:
            database.execute(";".join(statements.format(number) for number in some))
    return pair


@pytest.fixture
def many_tables(small_server: Databases) -> Iterator[Pair]:
    """A pair with 100 tables of four indexes each: 1,000 locks for both if all were locked."""
    yield pair_of(
        small_server,
        100,
        "CREATE TABLE t{0} (id int PRIMARY KEY, a int UNIQUE, b int UNIQUE, c int UNIQUE);"
        "INSERT INTO t{0} VALUES (1, 1, 1, 1)",
    )
    small_server.drop_all()


def test_more_tables_are_compared_than_the_server_could_lock_with_their_indexes(
    many_tables: Pair,
) -> None:
    many_tables.source.execute("UPDATE t70 SET a = 2; TRUNCATE t71")

    foreseen = sync(many_tables, dry_run=True)
    result = sync(many_tables)

    assert foreseen.output()["rows_updated"] == 1
    assert result.output()["tables_changed"] == 2
    assert_same(many_tables)
    assert sync(many_tables).status == "unchanged"


def test_too_many_tables_to_write_is_an_error_that_names_the_setting_and_a_value(
    many_tables: Pair,
) -> None:
    many_tables.source.execute(
        "DO $$ BEGIN FOR number IN 0..99 LOOP"
        " EXECUTE format('UPDATE t%s SET a = 2', number); COMMIT; END LOOP; END $$"
    )

    with pytest.raises(ConfigurationError) as refusal:
        sync(many_tables)

    message = str(refusal.value)
    assert "max_locks_per_transaction of the target's server is 10" in message
    assert "set it to 64" in message


def test_more_sequences_follow_than_one_statement_could_read(
    small_server: Databases,
) -> None:
    pair = pair_of(small_server, 700, "CREATE SEQUENCE s{0}")
    pair.source.execute("SELECT setval('s7', 70), setval('s699', 90)")

    result = sync(pair)

    assert set(result.sequences) == {"public.s7", "public.s699"}
    assert pair.target.value("SELECT nextval('s699')") == 91
    small_server.drop_all()
