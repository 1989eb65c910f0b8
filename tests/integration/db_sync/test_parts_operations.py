"""DbSync's operations for a sync in parts, called one after the other as the state machine does."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import boto3
import pytest
from moto import mock_aws

from common.errors import InvalidInput, SchemaMismatch, StagingSyncError
from db_sync.handler import handler
from db_sync.parts import keeping
from tests.integration.db_sync.lambda_environment import use_databases
from tests.integration.db_sync.syncing import assert_same
from tests.support.bucket import BUCKET, REGION
from tests.support.databases import Databases, Pair
from tests.support.lambda_context import FakeContext

SCHEMA = """
CREATE TABLE people (id int PRIMARY KEY, name text);
CREATE TABLE orders (id int PRIMARY KEY, person int REFERENCES people, note text);
"""
ROWS = """
INSERT INTO people SELECT i, 'person ' || i FROM generate_series(1, 2000) i;
INSERT INTO orders SELECT i, i % 2000 + 1, repeat('x', 40) FROM generate_series(1, 4000) i;
ANALYZE;
"""
TUNING = {
    "rates": {"compare": 1000, "write": 1000},
    "part_seconds": 100,
    "keeper_turn": 30,
    "keeper_poll": 0.05,
}

type Answer = dict[str, Any]


@pytest.fixture
def pair(databases: Databases) -> Pair:
    return databases.pair(SCHEMA, source=ROWS)


@pytest.fixture(autouse=True)
def environment(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setenv("TUNING", json.dumps(TUNING))
    monkeypatch.setattr(keeping, "PAUSE_AFTER_FAILURE", 0.1)
    monkeypatch.setattr(keeping, "RECENT", 0.5)
    with mock_aws():
        boto3.client("s3").create_bucket(
            Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION}
        )
        use_databases(pair, monkeypatch)
        yield


def call(operation: str | None = None, **fields: object) -> Answer:
    """Invoke DbSync, as a Lambda that lives for a minute."""
    asked = {"operation": operation, **fields} if operation else fields
    return handler({"execution": "run-1", "input": {}, **asked}, FakeContext(lambda: 60.0))


def keepers() -> list[threading.Thread]:
    """Start both keepers, which end with FinishSync's word."""

    def keep(keeper: str) -> None:
        # The state machine aborts their branches when FinishSync has failed.
        with suppress(StagingSyncError):
            while not call("keep_snapshot", keeper=keeper)["done"]:
                pass

    threads = [threading.Thread(target=keep, args=(keeper,)) for keeper in "ab"]
    for thread in threads:
        thread.start()
    return threads


def items(divided: Answer) -> list[Answer]:
    """Return what the Map reads."""
    body = boto3.client("s3").get_object(Bucket=divided["bucket"], Key=divided["list"])["Body"]
    return [json.loads(line) for line in body.read().splitlines()]


def rounds(divided: Answer) -> Answer:
    """Do rounds until FinishSync is done or fails; return its answer."""
    while divided["status"] == "divided":
        for item in items(divided):
            with suppress(StagingSyncError):  # FinishSync finds out
                assert call("sync_part", part=item) == {}
        divided = call("finish_sync", divided=divided)
    return divided


def test_all_operations_together_make_staging_equal_to_production(pair: Pair) -> None:
    divided = call()
    assert {key: divided[key] for key in ("status", "bucket", "round", "concurrency")} == {
        "status": "divided",
        "bucket": BUCKET,
        "round": 1,
        "concurrency": 8,
    }
    assert len(items(divided)) == divided["parts"] > 3

    threads = keepers()
    done = rounds(divided)
    for thread in threads:
        thread.join(timeout=20)
        assert not thread.is_alive()

    assert (done["status"], done["verified"], done["atomic"]) == ("synced", True, False)
    assert done["rows_inserted"] == 6000
    assert_same(pair)
    report = boto3.client("s3").get_object(Bucket=BUCKET, Key="executions/run-1/db-sync.json")
    assert json.load(report["Body"])["atomic"] is False


def test_a_failed_sync_is_finished_by_a_redrive_once_its_cause_is_mended(pair: Pair) -> None:
    pair.target.execute("ALTER TABLE people ADD CONSTRAINT no_77 CHECK (id <> 77)")
    divided = call()
    threads = keepers()
    with pytest.raises(SchemaMismatch, match=r"public\.people.*no_77"):
        rounds(divided)
    for thread in threads:
        thread.join(timeout=20)
    before = pair.target.value("SELECT count(*) FROM orders")
    assert before == 4000  # the other parts are done

    pair.target.execute("ALTER TABLE people DROP CONSTRAINT no_77")
    time.sleep(0.6)  # FinishSync's word is as old then as it is for a redrive
    threads = keepers()
    done = rounds(call("finish_sync", divided=divided))
    for thread in threads:
        thread.join(timeout=20)
    assert done["verified"]
    assert_same(pair)


def test_a_first_load_that_failed_goes_on_in_the_next_execution(pair: Pair) -> None:
    divided = call()
    first = items(divided)[0]
    threads = keepers()
    assert call("sync_part", part=first) == {}
    pair.target.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE application_name LIKE 'staging-sync%'"
    )
    for thread in threads:
        thread.join(timeout=20)
    assert pair.target.value("SELECT (SELECT count(*) FROM orders) + count(*) FROM people") > 0

    divided = call()  # staging is not empty any more
    assert divided["status"] == "divided"
    threads = keepers()
    done = rounds(divided)
    for thread in threads:
        thread.join(timeout=20)
    assert done["rows_inserted"] < 6000
    assert_same(pair)


@pytest.mark.parametrize(
    ("operation", "fields", "problem"),
    [
        ("sync_everything", {}, '"operation" is none of DbSync'),
        ("keep_snapshot", {"keeper": "c"}, '"keeper" must be one of a, b'),
        ("sync_part", {"part": 1}, '"part" must be'),
        ("finish_sync", {}, '"divided" must be'),
    ],
)
def test_an_operation_that_is_none_is_refused(operation: str, fields: Answer, problem: str) -> None:
    with pytest.raises(InvalidInput, match=problem):
        call(operation, **fields)
