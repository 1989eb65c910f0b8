"""Each execution of the deployed stack gets a page, however it ended."""

import json
import urllib.request
from datetime import UTC, datetime

import pytest

from sandbox.account import StagingAccount
from sandbox.bookshop.databases import NAME
from sandbox.pages import serving, wait_for_page
from statemachine.execution import run, start
from tests.e2e.tools import RELINK, REMAP, SYNC, wait_during
from write_report.history import LATEST, SUMMARY


def latest(account: StagingAccount) -> str:
    found = account.clients.s3.get_object(Bucket=account.bucket, Key=LATEST)
    return found["Body"].read().decode()


def summary_of(account: StagingAccount, name: str) -> dict[str, object]:
    """Return the figures that the next page will show of an execution."""
    key = f"executions/{name}/report.html"
    metadata = account.clients.s3.head_object(Bucket=account.bucket, Key=key)["Metadata"]
    summary: dict[str, object] = json.loads(metadata[SUMMARY])
    return summary


def test_a_run_s_page_shows_its_tables_and_people_and_the_run_before_and_names_nobody(
    account: StagingAccount,
) -> None:
    first = run(account, RELINK)
    wait_for_page(account, first.name)
    second = run(account, RELINK)

    page = wait_for_page(account, second.name)

    assert "public.order_items" in page
    assert summary_of(account, first.name)["rows"] == sum(
        first.output["db_sync"][f"rows_{kind}"] for kind in ("inserted", "updated", "deleted")
    )
    assert summary_of(account, second.name)["sync"] == "unchanged"
    assert first.output["db_sync"]["report"].replace(first.name, second.name) in page
    assert latest(account) == page
    with serving(account) as address:
        for path in ("", "latest/report.html", f"executions/{second.name}/report.html"):
            with urllib.request.urlopen(address + path) as answer:  # noqa: S310 # our own server
                assert answer.read().decode() == page
    people = account.staging.rows("SELECT email, cognito_sub FROM users")
    assert not [text for row in people for text in row if text and text in page]


def test_a_failure_s_page_says_what_to_do(account: StagingAccount) -> None:
    account.staging.server.execute("postgres", f"COMMENT ON DATABASE {NAME} IS 'ours'")
    failed = run(account, SYNC)

    page = wait_for_page(account, failed.name)

    assert "TargetNotAllowed" in page
    assert f"COMMENT ON DATABASE &#34;{NAME}&#34; IS &#39;staging-sync target&#39;;" in page
    assert summary_of(account, failed.name)["status"] == "FAILED"


@pytest.mark.parametrize("document", [{"dry_rnu": True}, [], "<script>alert(1)</script>"])
def test_an_execution_whose_input_was_refused_has_a_page(
    account: StagingAccount, document: object
) -> None:
    refused = run(account, document)

    page = wait_for_page(account, refused.name)

    assert "InvalidInput" in page
    assert "<script>alert" not in page


def test_an_execution_that_was_stopped_has_a_page(account: StagingAccount) -> None:
    arn = start(account, REMAP)
    wait_during(account, arn, lambda: True, "it runs")
    account.states.stop_execution(executionArn=arn, cause="stopped by a test")

    page = wait_for_page(account, arn.rsplit(":", 1)[1])

    assert "ABORTED" in page


def test_an_execution_that_timed_out_gets_a_page_by_the_event_that_aws_sends(
    account: StagingAccount,
) -> None:
    now = int(datetime.now(UTC).timestamp() * 1000)
    machine = account.state_machine_arn
    detail = {
        "executionArn": f"{machine.replace(':stateMachine:', ':execution:')}:timed-out",
        "stateMachineArn": machine,
        "name": "timed-out",
        "status": "TIMED_OUT",
        "startDate": now - 60_000,
        "stopDate": now,
        "input": "{}",
        "inputDetails": {"included": True},
        "output": None,
        "outputDetails": None,
    }
    event = {"detail-type": "Step Functions Execution Status Change", "detail": detail}
    account.clients.functions.invoke(
        FunctionName=account.function_name("write_report"), Payload=json.dumps(event)
    )

    assert "TIMED_OUT" in wait_for_page(account, "timed-out")
