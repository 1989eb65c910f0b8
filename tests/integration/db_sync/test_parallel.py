"""Servers on different machines read tables in parallel, unless a rule says otherwise."""

from collections.abc import Iterator

import pytest

from common.postgres.connection.address import DatabaseAddress
from db_sync.rules import SyncRules
from sandbox.cloud import free_port
from sandbox.database import Database
from sandbox.postgres import temporary_server
from tests.integration.db_sync.syncing import assert_same, sync
from tests.support.databases import Databases, Pair
from tests.support.waiting import wait_until

HERE, ELSEWHERE = "127.0.0.1", "127.0.0.2"  # this machine's, but a server cannot know that
TABLE = "CREATE TABLE t (id int PRIMARY KEY, v text, n numeric(9, 2)) WITH (parallel_workers = 2)"
ROWS = "INSERT INTO t SELECT i, 'row ' || i, i FROM generate_series(1, 20000) i"


@pytest.fixture(scope="module")
def reachable() -> Iterator[Databases]:
    """Databases on a server with two addresses, which reads the smallest table in parallel."""
    settings = {
        "listen_addresses": f"{HERE},{ELSEWHERE}",
        "port": str(free_port()),
        "min_parallel_table_scan_size": "0",
    }
    with temporary_server(settings=settings) as server:
        yield Databases(server)


@pytest.fixture
def pair(reachable: Databases) -> Iterator[Pair]:
    made = reachable.pair(TABLE, ROWS, ROWS)
    for database in made:
        database.execute("ANALYZE")
    made.source.execute("UPDATE t SET n = 0.5 WHERE id = 4711")
    yield made
    reachable.drop_all()


def at(database: Database, host: str) -> DatabaseAddress:
    """Return a database's address at one of the server's."""
    return DatabaseAddress.of_url(f"{database.url}&host={host}&sslmode=disable")


def workers_of(pair: Pair) -> list[int]:
    """Return how many parallel workers the sessions in each database have started so far."""
    wait_until(lambda: not sessions_in(pair), "the sync's sessions have reported what they did")
    return [
        database.value(
            "SELECT parallel_workers_launched FROM pg_stat_database"
            " WHERE datname = current_database()"
        )
        for database in pair
    ]


def sessions_in(pair: Pair) -> int:
    """Return how many sessions are still in either database, but for the one that asks."""
    found = pair.source.rows(
        "SELECT FROM pg_stat_activity WHERE datname IN (%s, %s) AND pid <> pg_backend_pid()",
        [pair.source.name, pair.target.name],
    )
    return len(found)


@pytest.mark.parametrize(
    ("rules", "target_host", "in_source", "in_target"),
    [
        ("{}", ELSEWHERE, True, True),
        # While the target is verified, nothing else is read.
        ("{}", HERE, False, True),
        ('{"parallel_query": true}', HERE, True, True),
        ('{"parallel_query": false}', ELSEWHERE, False, False),
    ],
)
def test_tables_are_read_in_parallel_on_different_machines_or_where_a_rule_says_so(
    pair: Pair, rules: str, target_host: str, in_source: bool, in_target: bool
) -> None:
    result = sync(
        pair,
        rules=SyncRules.parse(rules),
        source=at(pair.source, HERE),
        target=at(pair.target, target_host),
    )

    assert [workers > 0 for workers in workers_of(pair)] == [in_source, in_target]
    assert (result.status, result.output()["rows_updated"]) == ("synced", 1)
    assert_same(pair)
