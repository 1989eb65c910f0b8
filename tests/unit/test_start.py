"""The command that starts and follows the workflow, with fake AWS clients."""

import io
import json
import re
import subprocess
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, NoRegionError

from sandbox.deploy import CDK
from statemachine import page, start
from statemachine.execution import Step, state_events
from tests.statemachine.lambdas import RESULTS

MACHINE = "arn:aws:states:eu-central-1:111122223333:stateMachine:staging-sync-staging"
EXECUTION = "arn:aws:states:eu-central-1:111122223333:execution:staging-sync-staging:run-1"
BEGAN = datetime(2026, 1, 1, 3, 0, tzinfo=UTC)
OUTPUT = {"db_sync": RESULTS["db_sync"], "cognito_mapping": RESULTS["update_db"]}
SYNC_ENTERED = {"stateEnteredEventDetails": {"name": "SyncDatabase"}}
SYNC_LEFT = {"stateExitedEventDetails": {"name": "SyncDatabase"}}
BUSY = {"lambdaFunctionFailedEventDetails": {"error": "TargetBusy", "cause": "{}"}}


@dataclass(slots=True)
class FakeStates:
    """Step Functions with one execution, which has ended at the second request for its status."""

    end: dict[str, Any]
    events: list[dict[str, Any]] = field(default_factory=list)
    inputs: list[Any] = field(default_factory=list)
    fault: BaseException | None = None
    asked: int = 0

    def start_execution(self, *, stateMachineArn: str, input: str) -> dict[str, str]:  # noqa: A002, N803 - boto3's names
        assert stateMachineArn == MACHINE
        self.inputs.append(json.loads(input))
        return {"executionArn": EXECUTION}

    def describe_execution(self, *, executionArn: str) -> dict[str, Any]:  # noqa: N803
        assert executionArn == EXECUTION
        self.asked += 1
        if self.asked == 1:
            return {"status": "RUNNING"}
        if self.fault:
            raise self.fault
        return {"startDate": BEGAN, "stopDate": BEGAN + timedelta(seconds=83), **self.end}

    def get_paginator(self, _: str) -> SimpleNamespace:
        happened = enumerate(self.events[: self.asked * 2], start=1)
        numbered = [{"id": id_, "previousEventId": id_ - 1, **event} for id_, event in happened]
        page = {"events": [{"timestamp": BEGAN, **event} for event in numbered]}
        return SimpleNamespace(paginate=lambda **_: [page])


@dataclass(slots=True)
class FakeStacks:
    """CloudFormation with one stack, of the environment "staging"."""

    outputs: list[dict[str, str]] = field(
        default_factory=lambda: [
            {"OutputKey": "StateMachineArn", "OutputValue": MACHINE},
            {"OutputKey": "ExchangeBucketName", "OutputValue": "exchange"},
        ]
    )
    meta: SimpleNamespace = field(
        default_factory=lambda: SimpleNamespace(region_name="eu-central-1")
    )

    def describe_stacks(self, *, StackName: str) -> dict[str, Any]:  # noqa: N803
        if StackName != "staging-sync-staging":
            raise refusal("ValidationError", f"Stack with id {StackName} does not exist")
        return {"Stacks": [{"Outputs": self.outputs, "StackStatus": "ROLLBACK_COMPLETE"}]}


@dataclass(slots=True)
class FakeBucket:
    """S3 with the page of the execution."""

    fault: BaseException | None = None

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803
        assert (Bucket, Key) == ("exchange", "executions/run-1/report.html")
        if self.fault:
            raise self.fault
        return {"Body": io.BytesIO(b"<!doctype html>")}


def refusal(code: str, message: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "Call")


@pytest.fixture
def states() -> FakeStates:
    """An execution that succeeds."""
    return FakeStates({"status": "SUCCEEDED", "output": json.dumps(OUTPUT)})


@pytest.fixture
def stacks() -> FakeStacks:
    return FakeStacks()


@pytest.fixture
def bucket() -> FakeBucket:
    return FakeBucket()


@pytest.fixture(autouse=True)
def _aws(
    states: FakeStates,
    stacks: FakeStacks,
    bucket: FakeBucket,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    clients = {"cloudformation": stacks, "stepfunctions": states, "s3": bucket}
    monkeypatch.setattr(boto3, "client", clients.__getitem__)
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setattr(start, "PAGE_TIMEOUT", 0.0)
    monkeypatch.setattr(page, "BUILD", tmp_path)


def run(arguments: list[str]) -> int:
    """Run the command without pauses; return its exit code."""
    return start.main(arguments, poll=0.0)


def test_a_success_is_shown_with_counts_warnings_and_reports_and_exits_with_0(
    states: FakeStates, capsys: pytest.CaptureFixture[str]
) -> None:
    warned = {**OUTPUT["db_sync"], "warnings": ["public.audit was left alone."]}
    states.end["output"] = json.dumps({**OUTPUT, "db_sync": warned})

    assert run(["staging", '{"sync_cognito": true}']) == 0

    assert states.inputs == [{"sync_cognito": True}]
    shown = capsys.readouterr().out
    lines = [" ".join(line.split()) for line in shown.splitlines()]
    assert f"Started {EXECUTION}" in lines
    assert lines[1].startswith("https://eu-central-1.console.aws.amazon.com/")
    assert lines[1].endswith(f"/executions/details/{EXECUTION}")
    for line in (
        "SUCCEEDED after 83.0 s",
        "db_sync status synced",
        "db_sync rows updated 400",
        "db_sync verified yes",
        "cognito_mapping skipped no cognito user 30",
        "warning: db_sync: public.audit was left alone.",
        f"report: db_sync: {OUTPUT['db_sync']['report']}",
        f"report: cognito_mapping: {OUTPUT['cognito_mapping']['report']}",
    ):
        assert line in lines


def test_the_page_is_saved_and_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["staging"]) == 0

    assert f"page: {tmp_path / 'report-run-1.html'}" in capsys.readouterr().out
    assert (tmp_path / "report-run-1.html").read_text() == "<!doctype html>"


@pytest.mark.parametrize(
    "fault",
    [refusal("AccessDenied", "may not"), refusal("NoSuchKey", "not there"), KeyboardInterrupt()],
    ids=["forbidden", "missing", "Ctrl-C"],
)
def test_a_page_that_does_not_come_is_named_and_changes_nothing_else(
    bucket: FakeBucket, capsys: pytest.CaptureFixture[str], fault: BaseException
) -> None:
    bucket.fault = fault

    assert run(["staging"]) == 0

    assert "page: s3://exchange/executions/run-1/report.html, which" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("end", "expected"),
    [
        (
            {
                "status": "FAILED",
                "error": "TargetBusy",
                "cause": json.dumps({"errorMessage": "Somebody holds a lock.", "errorType": "x"}),
            },
            "TargetBusy: Somebody holds a lock.",
        ),
        (
            {"status": "TIMED_OUT", "error": "States.Timeout"},
            "States.Timeout: no cause was given",
        ),
        ({"status": "ABORTED", "cause": "not today"}, "No error name: not today"),
    ],
    ids=["failed", "timed out", "aborted"],
)
def test_any_other_end_is_shown_with_error_and_cause_and_exits_with_1(
    states: FakeStates, capsys: pytest.CaptureFixture[str], end: dict[str, Any], expected: str
) -> None:
    states.end = end
    states.events = [SYNC_ENTERED, BUSY, BUSY]

    assert run(["staging"]) == 1

    assert states.inputs == [{}]
    shown = capsys.readouterr().out
    assert f"{end['status']} after 83.0 s" in shown
    assert expected in shown
    assert "✘  SyncDatabase" in shown
    assert "docs/operations.md" in shown


def test_a_state_that_succeeds_after_a_retry_is_not_marked_as_failed(
    states: FakeStates, capsys: pytest.CaptureFixture[str]
) -> None:
    states.events = [SYNC_ENTERED, BUSY, SYNC_LEFT]

    assert run(["staging"]) == 0

    assert "✔  SyncDatabase" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["nowhere"], "There is no stack staging-sync-nowhere in eu-central-1. cdk.json has"),
        (["staging", "{sync_cognito: true}"], "The input is not JSON"),
        (["staging", "[]"], "must be a JSON object"),
        (["staging", '{"sync_congito": true}'], '"sync_congito" is not a field'),
    ],
)
def test_a_wrong_call_starts_nothing_and_exits_with_2(
    states: FakeStates, capsys: pytest.CaptureFixture[str], arguments: list[str], expected: str
) -> None:
    assert run(arguments) == 2

    assert states.inputs == []
    captured = capsys.readouterr()
    assert expected in captured.err
    assert captured.out == ""


@pytest.mark.parametrize("is_divided", [False, True])
def test_a_sync_in_parts_is_shown_where_there_is_one(
    states: FakeStates, capsys: pytest.CaptureFixture[str], is_divided: bool
) -> None:
    parts = [
        {"stateEnteredEventDetails": {"name": "SyncInParts"}},
        {"stateExitedEventDetails": {"name": "SyncInParts"}},
    ]
    states.events = [SYNC_ENTERED, SYNC_LEFT, *(parts if is_divided else [])]

    run(["staging"])

    assert ("✔ SyncInParts" in " ".join(capsys.readouterr().out.split())) is is_divided


def test_an_error_belongs_to_the_state_of_its_branch_and_not_to_the_last_one_entered(
    states: FakeStates,
) -> None:
    entered = [{"stateEnteredEventDetails": {"name": name}} for name in ("KeepSnapshotA", "B")]
    states.events = [*entered, {**BUSY, "previousEventId": 1}, {**BUSY, "previousEventId": 3}]
    states.asked = 2  # by when all of this has happened

    workflow: Any = SimpleNamespace(states=states, state_machine_arn=MACHINE)
    events = state_events(workflow, EXECUTION)

    failures = [event.state for event in events if event.step is Step.FAILED]
    assert failures == ["KeepSnapshotA", "KeepSnapshotA"]


def test_nothing_is_started_when_the_stack_was_never_deployed_completely(
    states: FakeStates, stacks: FakeStacks, capsys: pytest.CaptureFixture[str]
) -> None:
    stacks.outputs.clear()

    assert run(["staging"]) == 2

    assert states.inputs == []
    assert "ROLLBACK_COMPLETE: deploy it first" in capsys.readouterr().err


@pytest.mark.parametrize(
    "error",
    [refusal("ExpiredToken", "The security token included is expired"), NoRegionError()],
    ids=["refused", "no Region"],
)
def test_nothing_is_started_when_aws_cannot_be_reached(
    states: FakeStates,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: Exception,
) -> None:
    def refuse(**_: object) -> None:
        raise error

    monkeypatch.setattr(FakeStacks, "describe_stacks", lambda _, **call: refuse(**call))

    assert run(["staging"]) == 2

    assert states.inputs == []
    assert str(error) in capsys.readouterr().err


def test_ctrl_c_leaves_the_execution_running_and_says_how_to_stop_it(
    states: FakeStates, capsys: pytest.CaptureFixture[str]
) -> None:
    states.fault = KeyboardInterrupt()

    assert run(["staging"]) == 130

    shown = capsys.readouterr().out
    assert "the execution continues" in shown
    assert f"aws stepfunctions stop-execution --execution-arn {EXECUTION}\n" in shown


def test_a_call_that_fails_while_following_is_not_reported_as_a_failed_execution(
    states: FakeStates, capsys: pytest.CaptureFixture[str]
) -> None:
    states.fault = refusal("ExpiredToken", "The security token included is expired")

    assert run(["staging"]) == 1

    shown = capsys.readouterr().out
    assert "Cannot follow the execution" in shown
    assert "the execution continues" in shown


def test_make_deploys_with_the_version_of_the_cdk_that_the_sandbox_tests() -> None:
    makefile = (Path(__file__).parents[2] / "Makefile").read_text()

    (pinned,) = re.findall(r"^CDK := (.*)$", makefile, re.MULTILINE)
    assert pinned.split() == [word for word in CDK if word != "--no-notices"]


def test_make_passes_the_input_on_unchanged() -> None:
    text = '{"it\'s": "$HOME `x` \\"'

    done = subprocess.run(  # noqa: S603 - every argument is ours
        ["make", "--old-file=install", "start", f"INPUT={text.replace('$', '$$')}"],  # noqa: S607
        cwd=Path(__file__).parents[2],
        check=False,
        capture_output=True,
        text=True,
    )

    assert f"It was: {text}" in done.stderr
