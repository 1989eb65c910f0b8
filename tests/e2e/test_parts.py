"""A sync that one Lambda has no time for is done in parts, of one moment of production."""

import contextlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from common.postgres.locking.advisory import KEPT, RUNS, key_of
from db_sync.parts.board import KEEPERS
from sandbox.account import StagingAccount
from sandbox.bookshop.comparison import contents
from statemachine.execution import Execution, history, run, start, wait
from tests.e2e.parts import (
    Production,
    division,
    empty,
    in_parts,
    name_of,
    part_file,
    parts_done,
    saved,
    wait_for_parts,
    wait_for_snapshot,
)
from tests.e2e.tools import kill_lambdas, log_text, wait_during
from tests.support.waiting import wait_until

ROWS_WRITTEN = ("inserted", "updated", "deleted")
VISITS_TABLE = """
CREATE TABLE visits (email text PRIMARY KEY, pages integer NOT NULL, note text NOT NULL);
"""
VISITS = """
INSERT INTO visits SELECT 'visitor' || i || '@mail.example', i, repeat('x', 100)
FROM generate_series(1, 2000) AS i
"""
# Of two keepers' sessions in production, known by their snapshots; none unless both are there.
END_FIRST = """
SELECT pg_terminate_backend(first.pid)
FROM pg_locks AS first JOIN pg_locks AS second USING (locktype, classid, mode)
WHERE (locktype, classid, mode) = ('advisory', %s, 'ExclusiveLock')
  AND first.objid = %s AND second.objid = %s
"""
END_SESSIONS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s"
SESSIONS = "SELECT pid FROM pg_stat_activity WHERE application_name = %s"
# The sessions of an execution that share the target's lock.
SHARERS = """
SELECT pid FROM pg_locks JOIN pg_stat_activity USING (pid)
WHERE locktype = 'advisory' AND classid = %s AND granted AND application_name = %s
"""


pytestmark = pytest.mark.usefixtures("dividing")


@pytest.fixture(scope="module")
def dividing(sandbox: StagingAccount) -> Iterator[None]:
    """Each sync is divided that may be."""
    with in_parts(sandbox):
        yield


def assert_done_in_parts(execution: Execution) -> None:
    """Check the output of an execution whose sync was divided."""
    assert (execution.status, execution.cause) == ("SUCCEEDED", "")
    output = execution.output["db_sync"]
    assert (output["status"], output["verified"], output["atomic"]) == ("synced", True, False)


def kept(account: StagingAccount, arn: str) -> list[Any]:
    """Return what each keeper wrote last of its snapshot, the one that ends first first."""
    found = [part_file(account, arn, f"keeper-{keeper}.json") for keeper in KEEPERS]
    return sorted(filter(None, found), key=lambda each: each["kept_until"])


def epochs(account: StagingAccount, arn: str) -> set[int]:
    """Return of which epochs the snapshots are that the keepers hold, or held last."""
    return {each["epoch"] for each in kept(account, arn)}


def more(snapshots: set[str], account: StagingAccount, arn: str) -> set[str]:
    """Add the names that the keepers give their snapshot at present, in each turn another one."""
    snapshots |= {each["snapshot"] for each in kept(account, arn)}
    return snapshots


def application(arn: str) -> str:
    """Return how an execution's sessions are named."""
    return f"staging-sync {name_of(arn)}"


def end_keeper(account: StagingAccount, arn: str) -> list[Any]:
    """End the session of the keeper whose turn ends first, if the other one is there too.

    The other one stays until it is relieved.
    """
    keys = [
        key_of(f"{application(arn)}/{each['epoch']}/{each['snapshot']}")
        for each in kept(account, arn)
    ]
    if len(keys) < len(KEEPERS):
        return []
    return account.production.rows(END_FIRST, [KEPT, *keys])


@contextlib.contextmanager
def locked(account: StagingAccount, table: str) -> Iterator[None]:
    """Hold a lock that lets nobody write to a table of staging, for a with statement."""
    with contextlib.closing(account.staging.connect()) as connection:
        with connection.cursor() as cursor:
            cursor.execute(f"LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE")
        yield
        connection.rollback()


def sessions(account: StagingAccount, arn: str) -> list[Any]:
    """Return the sessions that an execution's Lambdas have in staging."""
    return account.staging.rows(SESSIONS, [application(arn)])


def children(account: StagingAccount, arn: str) -> list[Any]:
    """Return input, output and history of the executions of an execution's parts."""
    states = account.states
    runs = states.list_map_runs(executionArn=arn)["mapRuns"]
    return [
        [
            states.describe_execution(executionArn=child["executionArn"]),
            history(account, child["executionArn"]),
        ]
        for map_run in runs
        for page in states.get_paginator("list_executions").paginate(mapRunArn=map_run["mapRunArn"])
        for child in page["executions"]
    ]


def assert_private(account: StagingAccount, execution: Execution, began: datetime) -> None:
    """Check that no email is in what AWS keeps of an execution and of its parts, nor in a log."""
    of_parts = children(account, execution.arn)
    assert len(of_parts) >= len(division(account, execution.arn).parts)
    stored = json.dumps([history(account, execution.arn), of_parts], default=str)
    assert '\\"part\\": {\\"part\\": 1}' in stored
    logs = log_text(account, since=began)
    assert execution.name in logs
    for text in (stored, logs, json.dumps(execution.output), execution.cause):
        assert "@" not in text


def test_staging_gets_one_moment_of_a_production_that_changes_all_the_while(
    account: StagingAccount,
) -> None:
    empty(account)
    first = contents(account.production)
    schema = account.staging.schema()
    began = datetime.now(UTC)
    arn = start(account, {})
    wait_for_snapshot(account, arn)
    with Production(account.production).changing():
        with locked(account, "page_views"):  # so that it takes some turns of the keepers
            snapshots: set[str] = set()
            wait_during(account, arn, lambda: len(more(snapshots, account, arn)) > 4, "some turns")
        execution = wait(account, arn)

    assert_done_in_parts(execution)
    assert contents(account.staging) == first != contents(account.production)
    assert account.staging.schema() == schema
    assert len(division(account, arn).parts) > 20
    assert epochs(account, arn) == {1}
    assert_private(account, execution, began)
    assert '"level":"WARNING"' not in log_text(account, since=began)


def test_a_part_that_fails_names_its_table_and_no_key_and_only_its_rows_are_left(
    account: StagingAccount,
) -> None:
    empty(account)
    account.production.change(VISITS_TABLE + VISITS)
    account.staging.change(VISITS_TABLE)
    account.staging.change("ALTER TABLE visits ADD CONSTRAINT early CHECK (pages <> 1000)")
    began = datetime.now(UTC)
    failed = run(account, {})

    assert (failed.status, failed.error) == ("FAILED", "SchemaMismatch")
    assert "public.visits" in failed.cause
    parts = division(account, failed.arn).parts
    assert [part for part in parts if part.bounds and "@" in str(part.bounds.low)]
    assert_private(account, failed, began)
    results = [part_file(account, failed.arn, f"done-{part.number}-1.json") for part in parts]
    assert [result["error"] for result in results].count(None) == len(parts) - 1
    assert parts_done(account, failed.arn, account.production) == len(parts) - 1
    rows = (len(contents(side)["visits"]) for side in (account.production, account.staging))
    missing = next(rows) - next(rows)

    account.staging.change("ALTER TABLE visits DROP CONSTRAINT early")
    following = run(account, {})

    assert (following.status, following.cause) == ("SUCCEEDED", "")
    written = {name: following.output["db_sync"][f"rows_{name}"] for name in ROWS_WRITTEN}
    assert written == {"inserted": missing, "updated": 0, "deleted": 0}
    assert contents(account.staging) == contents(account.production)


def test_if_a_keeper_is_killed_its_moment_stays_and_if_both_are_the_rest_follows_another(
    account: StagingAccount,
) -> None:
    empty(account)
    schema = account.staging.schema()
    production = Production(account.production)
    arn = start(account, {})
    wait_for_parts(account, arn, 2)
    wait_until(lambda: end_keeper(account, arn), "a keeper is ended")
    assert account.staging.schema() == schema
    assert parts_done(account, arn, account.production) >= 2
    wait_for_parts(account, arn, 4)
    assert epochs(account, arn) == {1}

    account.production.change("UPDATE books SET price = price + 1")
    assert kill_lambdas(account, account.function_name("db_sync")) >= 3
    assert account.staging.schema() == schema
    assert parts_done(account, arn, saved(account.production), account.production) >= 4
    with production.changing():
        # All of its Lambdas start anew, on a machine that runs other tests meanwhile.
        held = "a new snapshot is held"
        wait_during(account, arn, lambda: 2 in epochs(account, arn), held, seconds=120)
        execution = wait(account, arn)

    assert_done_in_parts(execution)
    assert contents(account.staging) in production.moments
    assert account.staging.schema() == schema


def test_a_second_execution_waits_as_long_as_the_first_ones_lambdas_live_and_then_goes_on(
    account: StagingAccount,
) -> None:
    empty(account)
    schema = account.staging.schema()
    began = datetime.now(UTC)
    first = start(account, {})
    with locked(account, "page_views"):  # so that the first one does not end before it is stopped
        wait_for_parts(account, first, 2)
        second = start(account, {})
        wait_during(account, second, lambda: sessions(account, second), "the second one waits")
        account.states.stop_execution(executionArn=first)
    assert wait(account, first).status == "ABORTED"
    assert account.staging.schema() == schema
    wait_until(lambda: len(sessions(account, first)) <= len(KEEPERS), "the parts have ended")
    assert parts_done(account, first, account.production) >= 2
    assert account.staging.rows(SHARERS, [RUNS, application(first)])
    assert part_file(account, second, "parts.json") is None

    account.staging.rows(END_SESSIONS, [application(first)])
    execution = wait(account, second)

    assert f"Execution {name_of(first)} (backend " in log_text(account, since=began)
    assert_done_in_parts(execution)
    assert contents(account.staging) == contents(account.production)
    assert account.staging.schema() == schema
