"""WriteReport writes a page of each execution that has ended, from whatever its steps have left."""

import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto import mock_aws

from common.errors import InvalidInput, StagingSyncError
from common.reports.failure import Failure
from common.reports.remap import RemapCounts, RemapResult
from common.reports.sync import SyncResult, TableResult
from tests.support.bucket import BUCKET, REGION, stored_keys
from tests.support.lambda_context import FakeContext
from write_report.handler import handler
from write_report.history import LATEST, MOST_REQUESTS, SUMMARY

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

MACHINE = "arn:aws:states:eu-central-1:111122223333:execution:staging-sync-staging"
CONSOLE = "https://eu-central-1.console.aws.amazon.com/states/home?region=eu-central-1#/v2/e/"
SYNCED = SyncResult(
    status="synced",
    verified=True,
    tables=(TableResult("public.books", "merge", "2 of 8 ranges differ", 815, rows_updated=44),),
    left_alone={},
    masked={},
    following={},
    sequences=(),
    notices=(),
    duration_seconds=1.6,
    snapshot="2026-11-27T03:00:01+00:00",
    source_version=160014,
    target_version=160014,
)
REMAPPED = RemapResult(
    RemapCounts(23, 0, 2063, 3, 3, 1, 0, 0), {}, (), "s3://exchange/executions/night/people.csv.gz"
)


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator["S3Client"]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.setenv("EXCHANGE_BUCKET", BUCKET)
    monkeypatch.setenv("EXECUTIONS_CONSOLE", CONSOLE)
    with mock_aws():
        client = boto3.client("s3")
        client.create_bucket(
            Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION}
        )
        yield client


def ended(name: str = "night", *, at: str = "2026-11-27T03:00:04", **fields: Any) -> dict[str, Any]:
    """Return EventBridge's event about an execution that ended at a moment, after four seconds."""
    stop = int(datetime.fromisoformat(at).replace(tzinfo=UTC).timestamp() * 1000)
    detail = {
        "executionArn": f"{MACHINE}:{name}",
        "stateMachineArn": MACHINE.replace("execution", "stateMachine"),
        "name": name,
        "status": "SUCCEEDED",
        "startDate": stop - 4000,
        "stopDate": stop,
        "input": '{"sync_cognito": true}',
        "output": None,
        "inputDetails": {"included": True},
        "outputDetails": None,
        "error": None,
        "cause": None,
    }
    return {"detail-type": "Step Functions Execution Status Change", "detail": detail | fields}


def put(s3: "S3Client", name: str, content: object, execution: str = "night") -> None:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    s3.put_object(Bucket=BUCKET, Key=f"executions/{execution}/{name}", Body=body)


def page_of(s3: "S3Client", event: dict[str, Any]) -> str:
    """Invoke the Lambda and return the page that it wrote."""
    handler(event, FakeContext())
    return read(s3, f"executions/{event['detail']['name']}/report.html")


def read(s3: "S3Client", key: str) -> str:
    return s3.get_object(Bucket=BUCKET, Key=key)["Body"].read().decode()


def test_a_run_gets_a_page_that_is_the_latest_one_too(s3: "S3Client") -> None:
    put(s3, "db-sync.json", SYNCED.report())
    put(s3, "cognito-mapping.json", REMAPPED.report())

    page = page_of(s3, ended())

    assert "public.books" in page
    assert "s3://exchange/executions/night/db-sync.json" in page
    assert "s3://exchange/executions/night/people.csv.gz" in page
    assert f"{CONSOLE}{MACHINE}:night" in page
    assert read(s3, LATEST) == page
    stored = s3.head_object(Bucket=BUCKET, Key=LATEST)
    assert stored["ContentType"] == "text/html; charset=utf-8"
    summary = json.loads(stored["Metadata"][SUMMARY])
    assert (summary["execution"], summary["rows"], summary["seconds"]) == ("night", 44, 4.0)


def test_a_failure_gets_a_page_with_its_error_and_without_a_stack_trace(s3: "S3Client") -> None:
    message = "The target is not marked as a sync target."
    put(s3, "db-sync.json", Failure("TargetNotAllowed", message).report())
    cause = json.dumps({"errorMessage": message, "stackTrace": ["  File /var/task/handler.py"]})

    page = page_of(s3, ended(status="FAILED", error="TargetNotAllowed", cause=cause))

    assert "TargetNotAllowed" in page
    assert message in page
    assert "/var/task" not in page


@pytest.mark.parametrize("status", ["TIMED_OUT", "ABORTED"])
def test_an_execution_that_was_ended_before_it_left_anything_gets_a_page(
    s3: "S3Client", status: str
) -> None:
    assert "db-sync.json</dt>" not in page_of(s3, ended(status=status, input="{}"))


def test_a_sync_in_parts_that_did_not_end_is_recognized_by_a_file_that_is_not_read(
    s3: "S3Client",
) -> None:
    put(s3, "parts/parts.json", b"keys of rows, which may be emails", "divided")
    atomic = page_of(s3, ended(status="ABORTED", input="{}"))
    divided = page_of(s3, ended("divided", status="ABORTED", input="{}"))

    runs = {
        name: s3.head_object(Bucket=BUCKET, Key=f"executions/{name}/report.html")
        for name in ("night", "divided")
    }
    left = {name: json.loads(run["Metadata"][SUMMARY])["staging"] for name, run in runs.items()}
    assert left == {"night": "either", "divided": "between"}
    assert atomic != divided


@pytest.mark.parametrize(
    "given",
    [None, "", "7", '"text"', "[]", "{", '{"sync_congito": true}', '{"Comment": "<script>"}'],
)
def test_whatever_the_input_was_there_is_a_page(s3: "S3Client", given: str | None) -> None:
    page = page_of(s3, ended(status="FAILED", error="InvalidInput", cause="No.", input=given))

    assert "InvalidInput" in page
    assert '{"Comment": "<script>"}' not in page


def test_fields_that_an_encrypted_execution_s_event_lacks_do_not_matter(s3: "S3Client") -> None:
    event = ended(status="FAILED")
    for field in ("input", "output", "error", "cause", "inputDetails", "outputDetails"):
        del event["detail"][field]

    assert page_of(s3, event)


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"7", b"{}", b'{"status": "synced"}', b"\xff\xfe"]
)
@pytest.mark.parametrize(
    "name", ["db-sync.json", "cognito-mapping.json", "cognito-users/manifest.json"]
)
def test_a_file_that_cannot_be_read_is_named_and_the_rest_is_shown(
    s3: "S3Client", logged: io.StringIO, name: str, content: bytes
) -> None:
    put(s3, name, content)

    assert f"{name} could not be read" in page_of(s3, ended())
    assert '"file not read"' in logged.getvalue()


def test_a_run_is_compared_with_those_before_it(s3: "S3Client") -> None:
    for day in range(1, 4):
        name = f"night-{day}"
        put(s3, "db-sync.json", SYNCED.report(), name)
        page = page_of(s3, ended(name, at=f"2026-11-2{day}T03:00:04"))

    assert all(f"2{day} Nov 2026" in page for day in range(1, 4))
    assert json.loads(s3.head_object(Bucket=BUCKET, Key=LATEST)["Metadata"][SUMMARY])[
        "execution"
    ].endswith("3")


def test_an_event_that_arrives_late_does_not_replace_the_latest_page(s3: "S3Client") -> None:
    newest = page_of(s3, ended("newest", at="2026-11-27T03:00:04"))

    older = page_of(s3, ended("older", at="2026-11-26T03:00:04"))

    assert read(s3, LATEST) == newest
    assert "27 Nov 2026" not in older


def test_an_event_that_arrives_twice_changes_nothing(s3: "S3Client") -> None:
    put(s3, "db-sync.json", SYNCED.report())
    first = page_of(s3, ended())
    keys = stored_keys(s3)

    assert page_of(s3, ended()) == first
    assert stored_keys(s3) == keys


def test_a_redrive_that_succeeds_replaces_the_page_of_the_failure(s3: "S3Client") -> None:
    failed = page_of(s3, ended(status="FAILED", error="TargetBusy", cause="Busy."))
    put(s3, "db-sync.json", SYNCED.report())

    redriven = page_of(s3, ended(at="2026-11-27T05:00:00", startDate=1795748400000))

    assert "TargetBusy" in failed
    assert "TargetBusy" not in redriven
    assert read(s3, LATEST) == redriven


def test_pages_without_our_metadata_are_no_runs(s3: "S3Client") -> None:
    for number, metadata in enumerate(
        [{}, {SUMMARY: "{"}, {SUMMARY: "7"}, {SUMMARY: "{}"}, {SUMMARY: '{"status": "LATE"}'}]
    ):
        key = f"executions/foreign-{number}/report.html"
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"", Metadata=metadata)

    assert "foreign" not in page_of(s3, ended())


def test_of_very_many_executions_only_so_many_are_asked_for(
    s3: "S3Client", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("write_report.history.MOST_REQUESTS", 5)
    for number in range(8):
        page_of(s3, ended(f"run-{number}", at=f"2026-11-27T03:0{number}:04"))

    assert MOST_REQUESTS >= 24 * 30
    assert page_of(s3, ended("run-9", at="2026-11-27T03:09:04"))


@pytest.mark.parametrize("name", ["again+1", "Löwe", "a'b", "x" * 80, "run=1@2!"])
def test_whatever_its_name_an_execution_gets_a_page(s3: "S3Client", name: str) -> None:
    put(s3, "db-sync.json", SYNCED.report(), name)

    assert "public.books" in page_of(s3, ended(name))
    assert page_of(s3, ended("next", at="2026-11-28T03:00:04"))


@pytest.mark.parametrize(
    "event", [{}, {"detail": None}, {"detail": {"name": "night"}}, ended(status="RUNNING"), [], "x"]
)
def test_an_event_of_another_kind_is_refused(s3: "S3Client", event: Any) -> None:
    with pytest.raises(InvalidInput, match="EventBridge"):
        handler(event, FakeContext())

    assert not stored_keys(s3)


def test_a_page_that_cannot_be_written_is_an_error(s3: "S3Client") -> None:
    s3.delete_bucket(Bucket=BUCKET)

    with pytest.raises(StagingSyncError, match="exchange"):
        handler(ended(), FakeContext())
