"""The safety rules: what is refused, and that the target is as it was after a failure."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest

from common.errors import (
    ConfigurationError,
    DatabaseUnavailable,
    OutOfTime,
    StagingSyncError,
    SyncInProgress,
    TargetBusy,
    TargetNotAllowed,
    VerificationFailed,
)
from common.postgres import target
from common.postgres.connection.address import DatabaseAddress
from common.postgres.connection.login import CONNECTION_PARAMETERS
from common.postgres.database import connect
from common.postgres.deadline import Deadline
from common.postgres.waits import Retry, Waits
from db_sync.rules import SyncRules
from db_sync.run import SyncOptions
from db_sync.sync import sync_database
from tests.integration.db_sync.syncing import assert_same, own_tables, sync
from tests.support.databases import Databases, Pair
from tests.support.waiting import wait_until

TABLE = "CREATE TABLE t (id int PRIMARY KEY, v text)"
ROWS = "INSERT INTO t SELECT i, 'row ' || i FROM generate_series(1, 100) i"
SHORT = Waits(table_locks=Retry(1.0, pause=0.3), run_lock=Retry(1.0, pause=0.5))


@pytest.fixture
def pair(databases: Databases) -> Pair:
    return databases.pair(TABLE, source=ROWS, target="INSERT INTO t VALUES (1, 'old')")


def assert_untouched(pair: Pair) -> None:
    assert pair.target.rows("TABLE t") == [(1, "old")]


def test_an_unmarked_target_is_refused_with_the_statement_that_marks_it(
    databases: Databases,
) -> None:
    pair = Pair(
        databases.make(TABLE, ROWS), databases.make(TABLE, "INSERT INTO t VALUES (1,'old')")
    )

    with pytest.raises(TargetNotAllowed) as refusal:
        sync(pair)

    statement = f"COMMENT ON DATABASE \"{pair.target.name}\" IS 'staging-sync target';"
    assert statement in str(refusal.value)
    assert_untouched(pair)
    pair.target.execute(statement)
    sync(pair)
    assert_same(pair)


def test_a_dry_run_of_an_unmarked_target_warns(databases: Databases) -> None:
    pair = Pair(databases.make(TABLE, ROWS), databases.make(TABLE))

    assert "not marked" in sync(pair, dry_run=True).warnings[0]


def test_one_database_under_two_addresses_is_refused(pair: Pair) -> None:
    socket_directory = str(pair.source.server.socket_dir)
    other = DatabaseAddress.of_url(
        f"host={socket_directory}/../data user=postgres dbname={pair.source.name}"
    )

    with pytest.raises(TargetNotAllowed, match="one and the same database"):
        sync_database(pair.source.address, other, SyncOptions("test"))


def test_a_source_that_is_marked_is_refused(pair: Pair) -> None:
    pair.source.mark()

    with pytest.raises(TargetNotAllowed, match="marked as a sync target itself"):
        sync(pair)

    assert_untouched(pair)


def test_the_source_session_cannot_write(pair: Pair) -> None:
    with (
        connect(pair.source.address, "source", execution="test", read_only=True) as source,
        pytest.raises(StagingSyncError, match="ReadOnlySqlTransaction"),
        source.transaction(),
    ):
        source.execute("DELETE FROM public.t")


def test_a_second_run_is_refused_and_the_error_names_the_first(pair: Pair) -> None:
    with connect(pair.target.address, "target", execution="nightly-7") as other:
        other.begin()
        target.lock_target(other)

        with pytest.raises(SyncInProgress, match=r"Execution nightly-7 .* holds the lock"):
            sync(pair, waits=SHORT)

    assert_untouched(pair)


def test_a_run_waits_for_the_lock_of_one_that_ends(pair: Pair) -> None:
    with connect(pair.target.address, "target", execution="dying") as other:
        other.begin()
        target.lock_target(other)
        release = threading.Timer(0.3, other.rollback)
        release.start()

        assert sync(pair, waits=SHORT).status == "synced"
        release.join()


def test_a_locked_table_is_busy_and_the_error_names_the_holder(pair: Pair) -> None:
    with connect(pair.target.address, "target", execution="migration") as other:
        other.begin()
        other.execute("INSERT INTO public.t VALUES (500, 'uncommitted')")

        with pytest.raises(TargetBusy, match=r"migration.*RowExclusiveLock on public\.t"):
            sync(pair, waits=SHORT)

    assert_untouched(pair)


def test_readers_of_the_target_continue_while_rows_are_merged(pair: Pair) -> None:
    with connect(pair.target.address, "target", execution="reader") as reader:
        reader.begin()
        reader.rows("SELECT * FROM public.t")

        assert sync(pair, waits=SHORT).status == "synced"


def test_the_verification_finds_a_value_that_the_target_changed(
    databases: Databases,
) -> None:
    pair = databases.pair("CREATE TABLE t (id int PRIMARY KEY, v text)", source=ROWS)
    pair.target.execute(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " NEW.v := 'changed'; RETURN NEW; END $$;"
        # An event trigger, for which the rules say that it does no harm, creates another trigger
        # while the sync writes. It stands for whatever changes values and cannot be disabled.
        "CREATE FUNCTION meddle() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN"
        " IF NOT EXISTS (SELECT FROM pg_trigger WHERE tgname = 'meddling') THEN"
        " CREATE TRIGGER meddling BEFORE INSERT ON public.t FOR EACH ROW"
        " EXECUTE FUNCTION public.refuse();"
        " ALTER TABLE public.t ENABLE ALWAYS TRIGGER meddling; END IF; END $$;"
    )
    owner = own_tables(pair, "table_owner")  # it cannot disable event triggers
    pair.target.execute(
        "CREATE TRIGGER disabled_by_the_sync BEFORE INSERT ON t FOR EACH ROW"
        " EXECUTE FUNCTION refuse();"
        "ALTER TABLE t ENABLE ALWAYS TRIGGER disabled_by_the_sync;"
        "CREATE EVENT TRIGGER meddle ON ddl_command_end WHEN TAG IN ('ALTER TABLE')"
        " EXECUTE FUNCTION meddle();"
    )

    with pytest.raises(VerificationFailed, match=r"public\.t is not what the source"):
        sync(pair, target=owner, rules=SyncRules(event_triggers_ok=True))

    assert pair.target.value("SELECT count(*) FROM t") == 0


def test_if_the_report_cannot_be_written_the_target_stays_as_it_was(pair: Pair) -> None:
    def refuse(_result: object) -> None:
        raise ConfigurationError("no bucket")

    with pytest.raises(ConfigurationError, match="no bucket"):
        sync_database(pair.source.address, pair.target.address, SyncOptions("test"), refuse)

    assert_untouched(pair)


def test_without_time_left_nothing_is_started(pair: Pair) -> None:
    with pytest.raises(OutOfTime, match="the target is as it was"):
        sync(pair, deadline=Deadline(time.monotonic() - 1))

    assert_untouched(pair)


def test_a_statement_that_exceeds_the_deadline_is_out_of_time(pair: Pair) -> None:
    with connect(pair.source.address, "source", execution="migration") as other:
        other.begin()
        other.execute("LOCK TABLE public.t IN ACCESS EXCLUSIVE MODE")

        with pytest.raises(OutOfTime, match="the source database"):
            sync(pair, deadline=Deadline(time.monotonic() + 0.5))

    assert_untouched(pair)


@pytest.mark.parametrize("side", ["source", "target"])
def test_a_port_without_a_server_is_unavailable_and_named(pair: Pair, side: str) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        nowhere = DatabaseAddress.of_server(
            host="127.0.0.1", port=str(port), user="u", password="secret-word", dbname="d"
        )
        addresses = {"source": pair.source.address, "target": pair.target.address, side: nowhere}

        with pytest.raises(DatabaseUnavailable, match=f"{side} database 127.0.0.1:{port}/d") as no:
            sync_database(addresses["source"], addresses["target"], SyncOptions("test"))

    assert "secret-word" not in str(no.value)


def test_a_host_that_does_not_answer_is_soon_unavailable(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(CONNECTION_PARAMETERS, "connect_timeout", "2")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        nowhere = DatabaseAddress.of_server(
            host="127.0.0.1",
            port=str(silent.getsockname()[1]),
            user="u",
            password="secret-word",
            dbname="d",
        )

        with pytest.raises(DatabaseUnavailable, match="timeout expired"):
            sync_database(pair.source.address, nowhere, SyncOptions("test"))


def test_a_role_without_rights_is_a_configuration_error_that_names_the_table(pair: Pair) -> None:
    pair.source.execute("CREATE ROLE reader LOGIN")
    try:
        with pytest.raises(ConfigurationError, match=r"may not read public\.t\."):
            sync_database(
                pair.source.address_as("reader"), pair.target.address, SyncOptions("test")
            )
    finally:
        pair.source.execute("DROP ROLE reader")
    assert_untouched(pair)


def test_a_row_that_does_not_fit_is_refused_without_being_quoted(databases: Databases) -> None:
    pair = databases.pair("CREATE TABLE t (id int PRIMARY KEY, email varchar(200))")
    pair.source.execute("INSERT INTO t VALUES (1, 'ana@example.com')")
    pair.target.execute("ALTER TABLE t ADD CONSTRAINT short CHECK (length(email) < 5)")

    with pytest.raises(StagingSyncError, match="constraint short") as refusal:
        sync(pair)

    assert type(refusal.value).__name__ == "SchemaMismatch"
    assert "ana@" not in str(refusal.value)


def test_a_keep_rule_for_a_missing_column_is_refused_before_anything_is_written(
    pair: Pair,
) -> None:
    with pytest.raises(ConfigurationError, match=r"column public\.t\.cognito_sub"):
        sync(pair, rules=SyncRules.parse('{"keep": ["public.t.cognito_sub"]}'))
    with pytest.raises(ConfigurationError, match=r"table public\.users"):
        sync(pair, rules=SyncRules.parse('{"keep": ["public.users.cognito_sub"]}'))

    assert_untouched(pair)


def test_a_killed_command_leaves_the_target_as_it_was_and_the_next_succeeds(pair: Pair) -> None:
    # The command is killed while it waits for this lock: after the comparison and before the
    # commit, while it holds the target's lock.
    pair.target.execute("CREATE TABLE z (id int)")
    pair.source.execute("CREATE TABLE z (id int); INSERT INTO z VALUES (1)")
    pair.target.execute("INSERT INTO z VALUES (2)")
    with connect(pair.target.address, "target", execution="reader") as reader:
        reader.begin()
        reader.rows("SELECT * FROM public.z")  # the command's lock on z has to wait for this
        command = subprocess.Popen(  # noqa: S603  # our own command
            [
                *(sys.executable, "-m", "db_sync"),
                *("--source", pair.source.url, "--target", pair.target.url, "--json"),
            ],
            env=os.environ,
            stdout=subprocess.DEVNULL,
        )
        waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'z'::regclass"
        wait_until(lambda: pair.target.value(waiting), "it waits for the lock")
        command.send_signal(signal.SIGKILL)
        command.wait()

    assert_untouched(pair)
    assert sync(pair).status == "synced"
    assert_same(pair)
