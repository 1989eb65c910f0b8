"""Behind a transaction pooler nothing of ours is left for the application, with a real PgBouncer.

Its pools have one server connection for each database, so that the application's next client gets
the very one that we had.
"""

import contextlib
import multiprocessing
import threading
import time
from collections.abc import Callable, Iterator
from multiprocessing.synchronize import Event
from typing import Any

import psycopg2
import pytest

from common.errors import ConfigurationError, DatabaseUnavailable, OutOfTime, SchemaMismatch
from common.manifest import Manifest
from common.postgres.connection.address import DatabaseAddress
from common.postgres.database import Session, connect
from db_sync.run import SyncOptions
from db_sync.sync import sync_database
from sandbox.database import Database
from sandbox.postgres import EmbeddedPostgres
from tests.support.databases import Databases, Pair
from tests.support.pooler import POOL_SIZE, Pooler, pooler_before
from update_db.remap import RemapOptions, remap_users
from update_db.users_table import UsersTable

# Tables to merge and to copy whole, with indexes to build; a view; a key.
SCHEMA = """
CREATE TABLE users (id int PRIMARY KEY, email text, cognito_sub text UNIQUE);
CREATE TABLE orders (id serial PRIMARY KEY, user_id int REFERENCES users ON DELETE CASCADE);
CREATE TABLE log (line text);
CREATE TABLE many (id int PRIMARY KEY, v text);
CREATE MATERIALIZED VIEW counted AS SELECT count(*) FROM orders;
"""
PRODUCTION = """
INSERT INTO users SELECT i, 'u' || i || '@example.com', 'sub ' || i FROM generate_series(1, 500) i;
INSERT INTO orders (user_id) SELECT i FROM generate_series(1, 500) i;
INSERT INTO log VALUES ('a line');
INSERT INTO many SELECT i, 'v ' || i FROM generate_series(1, 20000) i;
"""
STAGING = """
INSERT INTO users SELECT i, 'u' || i || '@example.com', 'old ' || i FROM generate_series(1, 400) i;
INSERT INTO orders (user_id) SELECT i FROM generate_series(2, 400) i;
"""
# What the application has set for itself, all of it other than what we need.
SETTINGS = {
    "search_path": "shop, public",
    "DateStyle": "'SQL, DMY'",
    "IntervalStyle": "iso_8601",
    "TimeZone": "'Asia/Tokyo'",
    "bytea_output": "escape",
    "work_mem": "'8MB'",
    "jit": "on",
    "statement_timeout": "'20min'",
    "lock_timeout": "'19min'",
    "default_transaction_isolation": "'repeatable read'",
    "client_min_messages": "warning",
}
PERSON = "('u7@example.com', 'new sub', 'u7', 'CONFIRMED', 'true', 'true', now())"

NAMES_OF_THE_OTHERS = """
SELECT application_name FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""

type Moment = Callable[[], None]  # what happens there


def sync(source: DatabaseAddress, target: DatabaseAddress, moment: Moment) -> None:
    sync_database(source, target, SyncOptions("nightly"), lambda _: moment())


def dry_run(source: DatabaseAddress, target: DatabaseAddress, moment: Moment) -> None:
    sync_database(source, target, SyncOptions("nightly", dry_run=True), lambda _: moment())


def compare(source: DatabaseAddress, target: DatabaseAddress, moment: Moment) -> None:
    """Sync; the moment comes while both transactions are open."""

    def show(phase: str, done: int, _total: int) -> None:
        if (phase, done) == ("compare", 1):
            moment()

    sync_database(source, target, SyncOptions("nightly", progress=show))


def remap(
    _: DatabaseAddress, target: DatabaseAddress, moment: Moment, *, is_dry: bool = False
) -> None:
    users = UsersTable.of("public.users", "email", "cognito_sub")

    def load(session: Session) -> Manifest:
        session.execute(f"INSERT INTO pg_temp.staging_sync_pool VALUES {PERSON}")
        return Manifest((), 1, 1)

    def save(_: object) -> str:
        moment()
        return "s3://report"

    remap_users(target, RemapOptions("nightly", users, dry_run=is_dry), load, save)


def remap_dry_run(source: DatabaseAddress, target: DatabaseAddress, moment: Moment) -> None:
    remap(source, target, moment, is_dry=True)


RUNS = [dry_run, sync, compare, remap, remap_dry_run]
each_run = pytest.mark.parametrize("run", RUNS, ids=lambda run: run.__name__)


@pytest.fixture(scope="module")
def pooler(server: EmbeddedPostgres) -> Iterator[Pooler]:
    with pooler_before(server) as running:
        yield running


@pytest.fixture
def pair(databases: Databases) -> Pair:
    pair = databases.pair(SCHEMA, source=PRODUCTION, target=STAGING)
    for database in pair:
        for name, value in SETTINGS.items():
            database.execute(f"ALTER DATABASE {database.name} SET {name} = {value}")
    return pair


class Application:
    """The application of both sides, behind the same pooler."""

    def __init__(self, pooler: Pooler, pair: Pair) -> None:
        self.pooler = pooler
        self.pair = pair
        self.source = pooler.address(pair.source)
        self.target = pooler.address(pair.target)
        self.before = self._finds()
        # It leaves its server connections in the pools, and would see what is set on them.
        assert self._finds() == self.before

    def finds_all_as_it_was(self, *, new_in_source: int = 0, new_in_target: int = 0) -> None:
        """See that the next clients find what the first did.

        Args:
            new_in_source: how many of the source's server connections are new.
            new_in_target: how many of the target's are.
        """
        new = (new_in_source, new_in_target)
        for before, now, expected in zip(self.before, self._finds(), new, strict=True):
            assert len(_backends(now) - _backends(before)) == expected
            assert _without_backend(now) == _without_backend(before)

    def _finds(self) -> list[list[dict[str, Any]]]:
        return [self.pooler.application_finds(database) for database in self.pair]


def _backends(states: list[dict[str, Any]]) -> set[int]:
    return {state["backend"] for state in states}


def _without_backend(states: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: each for name, each in state.items() if name != "backend"} for state in states]


@pytest.fixture
def application(pooler: Pooler, pair: Pair) -> Application:
    return Application(pooler, pair)


def nothing() -> None:
    """Let a run go on."""


@each_run
def test_after_a_run_the_applications_next_client_finds_everything_as_it_was(
    application: Application, run: Callable[..., None]
) -> None:
    run(application.source, application.target, nothing)

    application.finds_all_as_it_was()


@each_run
def test_after_a_failure_the_applications_next_client_finds_everything_as_it_was(
    application: Application, run: Callable[..., None]
) -> None:
    before = application.pair.target.contents()

    def fail() -> None:
        raise ConfigurationError("the bucket is gone")

    with pytest.raises(ConfigurationError, match="the bucket is gone"):
        run(application.source, application.target, fail)

    application.finds_all_as_it_was()
    assert application.pair.target.contents() == before


@pytest.mark.parametrize("run", [sync, remap], ids=lambda run: run.__name__)
def test_after_an_error_of_the_server_the_next_client_finds_everything_as_it_was(
    application: Application, run: Callable[..., None]
) -> None:
    pair = application.pair
    pair.target.execute("ALTER TABLE users ADD CHECK (cognito_sub ~ '^old')")
    before = pair.target.contents()

    with pytest.raises(SchemaMismatch, match="SQLSTATE 23514"):
        run(application.source, application.target, nothing)

    application.finds_all_as_it_was()
    assert pair.target.contents() == before


def in_a_process(run: Callable[..., None], source: str, target: str, reached: Event) -> None:
    def stay() -> None:
        reached.set()
        time.sleep(600)

    run(DatabaseAddress.of_url(source), DatabaseAddress.of_url(target), stay)


@each_run
def test_after_a_kill_the_applications_next_client_finds_everything_as_it_was(
    application: Application, run: Callable[..., None]
) -> None:
    pooler, pair = application.pooler, application.pair
    before = pair.target.contents()
    context = multiprocessing.get_context("spawn")
    reached = context.Event()
    urls = [pooler.url(database) for database in pair]
    process = context.Process(target=in_a_process, args=(run, *urls, reached))
    process.start()
    assert reached.wait(60)
    process.kill()
    process.join()

    # The pooler gives up a server connection whose client left in the middle of a transaction. A
    # sync has two to the target then, and the remap one.
    application.finds_all_as_it_was(
        new_in_source=1 if run is compare else 0,
        new_in_target=1 if run in (remap, remap_dry_run) else 2,
    )
    assert pair.target.contents() == before


def test_who_we_are_is_seen_while_a_transaction_is_open_and_not_after_it(
    application: Application,
) -> None:
    pair, seen = application.pair, list[Any]()
    before = [database.rows(NAMES_OF_THE_OTHERS) for database in pair]

    def look() -> None:
        seen.extend(database.rows(NAMES_OF_THE_OTHERS) for database in pair)

    compare(application.source, application.target, look)

    ours = ("staging-sync nightly",)
    assert ours not in before[0] + before[1]
    assert seen[0].count(ours) == 1
    assert seen[1] == [ours, ours]
    assert [database.rows(NAMES_OF_THE_OTHERS) for database in pair] == before


def test_a_statement_is_cancelled_through_the_pooler(application: Application) -> None:
    with connect(application.target, "target", execution="nightly") as target:
        target.begin()
        threading.Timer(0.3, target.cancel).start()
        with pytest.raises(OutOfTime):
            target.execute("SELECT pg_sleep(60)")

    application.finds_all_as_it_was()


def test_what_another_client_left_on_a_pooled_connection_is_no_harm(
    application: Application,
) -> None:
    pair = application.pair
    for database in pair:
        leave_behind(application.pooler, database)
    left = [application.pooler.application_finds(database) for database in pair]

    sync(application.source, application.target, nothing)

    assert [application.pooler.application_finds(database) for database in pair] == left
    assert pair.target.rows("SELECT id, email FROM users ORDER BY id") == pair.source.rows(
        "SELECT id, email FROM users ORDER BY id"
    )
    assert pair.target.value("SELECT count(*) FROM orders") == 500


def leave_behind(pooler: Pooler, database: Database) -> None:
    """Do to a server connection what nobody may do behind a transaction pooler, and some do."""
    with contextlib.ExitStack() as clients:
        for _ in range(POOL_SIZE):
            somebody = psycopg2.connect(pooler.url(database))
            clients.enter_context(contextlib.closing(somebody))
            clients.callback(somebody.commit)
            somebody.cursor().execute(
                "SET search_path = nowhere; SET array_nulls = off; SET row_security = on;"
                "SET session_replication_role = replica; SET default_transaction_read_only = on;"
                "CREATE TEMPORARY TABLE pg_class (oid oid); CREATE TEMPORARY TABLE users (id text)"
            )


def test_a_pool_of_one_connection_is_named(server: EmbeddedPostgres, pair: Pair) -> None:
    with (
        pooler_before(server, pool_size=1, limit=1) as pooler,
        pytest.raises(DatabaseUnavailable, match="two connections to the target open"),
    ):
        sync(pair.source.address, pooler.address(pair.target), nothing)
