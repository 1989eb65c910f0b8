"""The command, interrupted: nothing is written, and only one sentence is printed."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import psutil
import pytest

from tests.support.databases import Databases, Pair
from tests.support.waiting import wait_until

AS_IT_WAS = "Interrupted: the target is as it was.\n"


@pytest.fixture
def pair(databases: Databases) -> Pair:
    return databases.pair(
        "CREATE TABLE t (id int PRIMARY KEY, v text)", source="INSERT INTO t VALUES (1, 'a')"
    )


@contextlib.contextmanager
def started(pair: Pair, *arguments: str) -> Iterator["subprocess.Popen[str]"]:
    """Run the command in the background; it is killed at the end."""
    databases = ("--source", pair.source.url, "--target", pair.target.url)
    with subprocess.Popen(  # noqa: S603  # our own command
        [sys.executable, "-m", "db_sync", *databases, *arguments],
        env=os.environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.fixture(autouse=True)
def interruptible() -> Iterator[None]:
    """A shell's background jobs ignore SIGINT, and so would the command that they start."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize(
    ("side", "mode"), [("source", "ACCESS EXCLUSIVE"), ("target", "ROW EXCLUSIVE")]
)
def test_ctrl_c_ends_it_at_once_while_it_waits_for_a_server(
    pair: Pair, side: str, mode: str
) -> None:
    database = getattr(pair, side)
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'staging-sync%'"
    with database.connect() as connection, connection.cursor() as cursor:
        cursor.execute(f"LOCK TABLE t IN {mode} MODE")
        with started(pair) as process:
            at_work = f"{waiting} AND state <> 'idle'"
            wait_until(lambda: database.value(at_work), "the sync is at work")
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=30)
        connection.rollback()
    connection.close()

    assert (process.returncode, out, err) == (1, "", AS_IT_WAS)
    wait_until(lambda: pair.target.value(waiting) == 0, "its session has ended")
    assert pair.target.value("SELECT count(*) FROM t") == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_the_processes_of_several_jobs_end_with_the_command(
    pair: Pair, number: signal.Signals
) -> None:
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'staging-sync%'"
    with pair.target.connect() as connection, connection.cursor() as cursor:
        cursor.execute("LOCK TABLE t IN ROW EXCLUSIVE MODE")
        with started(pair, "--jobs", "2") as process:
            locking = "SELECT count(*) FROM pg_locks WHERE mode = 'ExclusiveLock' AND NOT granted"
            locking += " AND relation = 't'::regclass"
            wait_until(lambda: pair.target.value(locking), "a part waits for the table's lock")
            process.send_signal(number)
            out, err = process.communicate(timeout=30)
        connection.rollback()
    connection.close()

    assert out == ""
    if number == signal.SIGINT:
        assert process.returncode == 1
        assert err.startswith("Interrupted: parts of the target are as in production")
        assert len(err.splitlines()) == 1
    wait_until(lambda: pair.target.value(waiting) == 0, "its sessions have ended")
    assert pair.target.value("SELECT count(*) FROM t") == 0


def test_a_process_that_is_killed_ends_the_command_with_an_error(pair: Pair) -> None:
    with pair.target.connect() as connection, connection.cursor() as cursor:
        cursor.execute("LOCK TABLE t IN ROW EXCLUSIVE MODE")
        with started(pair, "--jobs", "2") as process:
            locking = "SELECT count(*) FROM pg_locks WHERE mode = 'ExclusiveLock' AND NOT granted"
            locking += " AND relation = 't'::regclass"
            wait_until(lambda: pair.target.value(locking), "a part waits for the table's lock")
            for child in psutil.Process(process.pid).children():
                if "spawn_main" in " ".join(child.cmdline()):  # not multiprocessing's own
                    child.kill()
            out, err = process.communicate(timeout=30)
        connection.rollback()
    connection.close()

    assert (process.returncode, out) == (1, "")
    assert err.startswith("StagingSyncError: One of the processes of --jobs was killed")
    assert "the target is in between" in err


def test_ctrl_c_does_not_wait_for_the_end_of_a_long_statement(pair: Pair) -> None:
    # The refresh of a slow materialized view stands for any long statement.
    wait = "CREATE OR REPLACE FUNCTION wait() RETURNS text LANGUAGE sql AS 'SELECT {}'"
    pair.target.execute(
        f"INSERT INTO t VALUES (2, 'b'); {wait.format(0)};"
        "CREATE MATERIALIZED VIEW slow AS SELECT count(*), wait() FROM t;"
        f"{wait.format('pg_sleep(600)::text')}"
    )
    sleeping = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
    with started(pair) as process:
        wait_until(lambda: pair.target.value(sleeping), "the statement runs")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)

    assert (process.returncode, out, err) == (1, "", AS_IT_WAS)
    wait_until(lambda: pair.target.value(sleeping) == 0, "the statement has ended")
    assert pair.target.rows("TABLE t") == [(2, "b")]


def test_a_user_without_a_name_can_run_it(pair: Pair) -> None:
    script = (
        "import getpass, sys; from db_sync.__main__ import main\n"
        "def unknown(): raise KeyError('getpwuid(): uid not found: 4711')\n"
        "getpass.getuser = unknown\n"
        "sys.exit(main(sys.argv[1:]))"
    )
    done = subprocess.run(  # noqa: S603  # our own command
        [sys.executable, "-c", script, "--source", pair.source.url, "--target", pair.target.url],
        env=os.environ,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")
