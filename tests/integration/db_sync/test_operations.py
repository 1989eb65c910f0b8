"""DbSync's operations called one after the other, as the state machine does, with its keepers."""

import contextlib
import functools
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from common.entry import entry_point
from common.errors import (
    DatabaseUnavailable,
    InvalidInput,
    OutOfTime,
    SchemaMismatch,
    StagingSyncError,
    SyncInProgress,
)
from common.postgres.waits import Retry, Waits
from db_sync.handler import handler, sync
from db_sync.parts import keeping
from tests.integration.db_sync.lambda_environment import use_databases
from tests.integration.db_sync.parts import ROWS, SHOP
from tests.integration.db_sync.syncing import assert_same
from tests.support.databases import Databases, Pair
from tests.support.lambda_context import FakeContext

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

TUNING = {
    # So low that one Lambda has no time for the shop.
    "rates": {"write": 500},
    "part_seconds": 800,
    "whole_seconds": 800,
    "longest_part": 100_000,
    "keeper_turn": 1,
    "keeper_poll": 0.2,
}
AT_ONCE = Retry(0.0, pause=0.0)
NOT_WAITING = entry_point(functools.partial(sync, waits=Waits(AT_ONCE, run_lock=AT_ONCE)))


@dataclass(slots=True)
class Workflow:
    """An execution whose Lambdas are called here; its keepers are called in threads."""

    s3: "S3Client"
    execution: str = "first"

    def call(self, operation: str, **fields: object) -> Any:
        event = {"execution": self.execution, "input": {}, "operation": operation, **fields}
        return (NOT_WAITING if operation == "sync_part" else handler)(event, FakeContext())

    def start(self, seconds: float = 900.0) -> Any:
        """Sync, or divide that, in so many seconds."""
        event = {"execution": self.execution, "input": {}}
        return handler(event, FakeContext(lambda: seconds))

    @contextlib.contextmanager
    def keepers(self) -> Iterator[None]:
        """Run both until FinishSync says a word, for the length of a with statement."""
        threads = [threading.Thread(target=self._keep, args=(keeper,)) for keeper in "ab"]
        for thread in threads:
            thread.start()
        yield
        for thread in threads:
            thread.join(30)
            assert not thread.is_alive()

    def _keep(self, keeper: str) -> None:
        with contextlib.suppress(DatabaseUnavailable):  # the sync has failed
            while not self.call("keep_snapshot", keeper=keeper)["done"]:
                pass

    def do_parts(self, divided: Any) -> list[StagingSyncError]:
        """Do a round's pieces, which wait for no lock; return the errors of those that failed."""
        lines = self.s3.get_object(Bucket=divided["bucket"], Key=divided["list"])["Body"].read()
        errors = []
        for line in lines.splitlines():
            try:
                self.call("sync_part", part=json.loads(line))
            except StagingSyncError as error:
                errors.append(error)
        return errors

    def finish(self, divided: Any) -> Any:
        """Finish; do what is left as long as there is something; return the result."""
        while (found := self.call("finish_sync", divided=divided))["status"] == "divided":
            divided = found
            self.do_parts(divided)
        return found


@pytest.fixture
def pair(databases: Databases) -> Pair:
    return databases.pair(SHOP, source=ROWS)


@pytest.fixture
def workflow(pair: Pair, s3: "S3Client", monkeypatch: pytest.MonkeyPatch) -> Workflow:
    use_databases(pair, monkeypatch)
    monkeypatch.setenv("TUNING", json.dumps(TUNING))
    monkeypatch.setattr(keeping, "PAUSE_AFTER_FAILURE", 0.0)
    return Workflow(s3)


def test_a_redrive_does_what_had_failed_and_compares_the_rest_with_the_next_snapshot(
    pair: Pair, workflow: Workflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair.target.execute("ALTER TABLE tokens ADD CONSTRAINT early CHECK (label <> 'label 1200')")
    divided = workflow.start()
    with workflow.keepers():
        (failed,) = workflow.do_parts(divided)
        with pytest.raises(SchemaMismatch, match=r"public\.tokens"):
            workflow.finish(divided)
    assert isinstance(failed, SchemaMismatch)

    pair.target.execute("ALTER TABLE tokens DROP CONSTRAINT early")
    monkeypatch.setattr(keeping, "RECENT", 0.0)  # as if a minute had passed
    pair.source.execute("UPDATE orders SET note = 'later' WHERE id < 100")
    with workflow.keepers():
        output = workflow.finish(divided)

    assert_same(pair)
    assert (output["status"], output["verified"], output["atomic"]) == ("synced", True, False)


def test_a_part_that_is_given_up_lets_the_snapshot_go_and_a_redrive_begins_it_once_more(
    pair: Pair, workflow: Workflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    divided = workflow.start()
    with workflow.keepers(), contextlib.closing(pair.target.connect()) as somebody:
        somebody.cursor().execute("LOCK TABLE events IN SHARE ROW EXCLUSIVE MODE")
        workflow.do_parts(divided)
        with pytest.raises(
            StagingSyncError, match=r"public\.events.* attempt 5: TargetBusy"
        ) as failed:
            workflow.finish(divided)
        somebody.rollback()
    assert type(failed.value) is StagingSyncError  # which the state machine does not try again

    monkeypatch.setattr(keeping, "RECENT", 0.0)  # as if a minute had passed
    with workflow.keepers():
        output = workflow.finish(divided)

    assert_same(pair)
    assert (output["status"], output["verified"], output["atomic"]) == ("synced", True, False)


def test_another_execution_is_refused_as_long_as_a_keeper_lives_and_told_whose(
    pair: Pair, workflow: Workflow
) -> None:
    divided = workflow.start()
    other = {"execution": "second", "input": {}}
    with workflow.keepers():
        workflow.do_parts(divided)
        with pytest.raises(SyncInProgress, match="Execution first"):
            NOT_WAITING(other, FakeContext())
        output = workflow.finish(divided)

    # Step Functions invokes a Lambda once more whose answer was lost.
    assert workflow.finish(divided) == output
    assert NOT_WAITING(other, FakeContext())["status"] == "unchanged"
    assert_same(pair)


def test_a_staging_with_rows_is_not_divided_by_default_and_the_error_names_the_setting(
    pair: Pair, workflow: Workflow
) -> None:
    pair.target.execute("INSERT INTO events SELECT now() FROM generate_series(1, 10000)")
    before = pair.target.contents()

    with pytest.raises(OutOfTime, match='"in_parts": "when_needed"'):
        workflow.start(seconds=15.0)
    assert pair.target.contents() == before


def test_a_first_load_that_was_ended_in_one_transaction_is_no_reason_to_divide_the_next_sync(
    workflow: Workflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert workflow.start()["status"] == "divided"
    monkeypatch.delenv("TUNING")
    assert workflow.start()["status"] == "synced"

    with pytest.raises(OutOfTime, match='"in_parts": "when_needed"'):
        workflow.start(seconds=15.0)


@pytest.mark.parametrize(
    ("operation", "fields", "problem"),
    [
        ("sync_everything", {}, '"operation" is none of DbSync'),
        ("keep_snapshot", {"keeper": "c"}, '"keeper" must be one of a, b'),
        ("sync_part", {"part": 1}, '"part" must be'),
        ("finish_sync", {}, '"divided" must be'),
    ],
)
def test_an_operation_that_is_none_is_refused(
    workflow: Workflow, operation: str, fields: dict[str, object], problem: str
) -> None:
    with pytest.raises(InvalidInput, match=problem):
        workflow.call(operation, **fields)
