"""After a SIGKILL of the command the target is as it was, and the servers notice in seconds."""

import os
import subprocess
import sys
import time
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from common.postgres.connection.address import DatabaseAddress
from tests.integration.db_sync.faults import (
    HOLD_READS,
    backends,
    different_pair,
    either_role,
    either_side,
    held,
    put_back,
    state,
    target_as,
    wait_for_no_backend,
    waits,
)
from tests.integration.db_sync.syncing import assert_same, sync
from tests.support.databases import Databases, Pair
from tests.support.waiting import TIMEOUT, wait_until

# Writing a row takes a millisecond, so that a large part of a run is writing.
SLOW = """
CREATE FUNCTION takes_its_time() RETURNS boolean LANGUAGE plpgsql AS
    'BEGIN PERFORM pg_catalog.pg_sleep(0.001); RETURN true; END';
ALTER TABLE child ADD CHECK (takes_its_time()) NOT VALID;
"""
SECONDS = 20.0  # in which the next sync gets the lock of a killed one, and is done


@dataclass(frozen=True, slots=True)
class Command:
    """The command for a pair."""

    pair: Pair
    target: DatabaseAddress

    def start(self) -> subprocess.Popen[bytes]:
        """Start it, and return when it is connected."""
        user = self.target.parameters["user"]
        target = self.pair.target.server.url(self.pair.target.name, user)
        process = subprocess.Popen(  # noqa: S603  # our own command
            [
                *(sys.executable, "-m", "db_sync", "--json"),
                *("--source", self.pair.source.url, "--target", target),
            ],
            env=os.environ,
            stdout=subprocess.DEVNULL,
        )
        wait_until(lambda: backends(self.pair.source), "it is connected")
        return process

    def clean_run(self) -> float:
        """Run it once, put the rows back, and return how long it was connected, in seconds."""
        process = self.start()
        started = time.monotonic()
        assert process.wait(TIMEOUT) == 0
        seconds = time.monotonic() - started
        put_back(self.pair)
        return seconds


@pytest.fixture
def command(databases: Databases, role: str) -> Command:
    pair = different_pair(databases)
    pair.target.execute(SLOW)
    return Command(pair, target_as(pair, role))


@pytest.fixture
def seconds(command: Command) -> float:
    """The duration of a run that is not killed."""
    return command.clean_run()


@either_role
@settings(
    max_examples=5,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],  # each example restores it
)
@given(percent=st.integers(0, 110))
def test_a_run_killed_at_a_random_moment_writes_all_or_nothing_and_the_next_succeeds(
    command: Command, seconds: float, percent: int
) -> None:
    pair = command.pair
    before = pair.target.contents()
    process = command.start()
    time.sleep(seconds * percent / 100)
    process.kill()
    process.wait()

    assert pair.target.contents() in (before, pair.source.contents())
    started = time.monotonic()
    sync(pair, target=command.target)
    assert time.monotonic() - started < SECONDS
    assert_same(pair)
    put_back(pair)
    wait_for_no_backend(pair)


@either_role
@either_side
def test_the_backends_of_a_killed_run_end_soon_although_they_wait_for_a_lock(
    command: Command, side: str
) -> None:
    pair = command.pair
    before = state(pair.target)
    blocked = pair.source if side == "source" else pair.target

    with held(blocked, HOLD_READS.format("child")):
        process = command.start()
        wait_until(lambda: "relation" in waits(blocked), "it waits for the index")
        process.kill()
        process.wait()
        wait_for_no_backend(pair)

    assert state(pair.target) == before
