"""What the on-call person uses: the command that starts a run, the alarm's message, the log."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from sandbox.account import StagingAccount
from sandbox.bookshop.comparison import subs
from sandbox.cloud import PROJECT
from sandbox.deploy import ENVIRONMENT, STACK
from sandbox.processes import clean_environment
from statemachine.execution import history
from tests.e2e.tools import log_text
from tests.support.waiting import wait_until

ROW_RAISED = """
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'not %', NEW USING DETAIL = NEW.email; END $$;
CREATE TRIGGER refuse BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION refuse();
"""


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A queue that receives what the alarm topic publishes."""

    account: StagingAccount
    url: str

    def wait_for_message(self) -> str:
        """Return the one message that arrives."""
        come: list[str] = []

        def has_come() -> bool:
            answer = self.account.clients.queues.receive_message(QueueUrl=self.url)
            come.extend(json.loads(each["Body"])["Message"] for each in answer.get("Messages", []))
            return bool(come)

        wait_until(has_come, "the message arrives")
        (text,) = come
        return text


@pytest.fixture
def mailbox(account: StagingAccount) -> Iterator[Mailbox]:
    """A queue instead of the on-call person's mailbox."""
    clients = account.clients
    url = clients.queues.create_queue(QueueName="mailbox")["QueueUrl"]
    arn = clients.queues.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    subscription = clients.topics.subscribe(
        TopicArn=topic_of(account), Protocol="sqs", Endpoint=arn["Attributes"]["QueueArn"]
    )
    let_sns_send(clients.queues, url, arn["Attributes"]["QueueArn"])
    yield Mailbox(account, url)
    clients.topics.unsubscribe(SubscriptionArn=subscription["SubscriptionArn"])
    clients.queues.delete_queue(QueueUrl=url)


def let_sns_send(queues: Any, url: str, queue_arn: str) -> None:
    """Allow SNS to send to a queue, by the queue's policy."""
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": queue_arn,
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    queues.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})


def topic_of(account: StagingAccount) -> str | None:
    """Return the topic that the stack has created."""
    resources = account.clients.cloudformation.describe_stack_resources(StackName=STACK)
    (topic,) = (
        each["PhysicalResourceId"]
        for each in resources["StackResources"]
        if each["ResourceType"] == "AWS::SNS::Topic"
    )
    return topic


def start(
    account: StagingAccount, document: dict[str, Any], temporary: Path
) -> subprocess.CompletedProcess[str]:
    """Start an execution as `make start` does."""
    return subprocess.run(  # noqa: S603 - every argument is ours
        [sys.executable, "-m", "statemachine.start", ENVIRONMENT, json.dumps(document)],
        cwd=PROJECT,
        env=clean_environment(temporary) | account.cloud.environment,
        check=False,
        capture_output=True,
        text=True,
    )


def test_the_command_follows_a_run_and_shows_what_it_did(
    account: StagingAccount, tmp_path: Path
) -> None:
    done = start(account, {"sync_cognito": True}, tmp_path)

    assert (done.returncode, done.stderr) == (0, "")
    lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
    for line in ("db_sync status synced", "cognito_mapping updated 23"):
        assert line in lines
    for state in ("SyncDatabase", "ListCognitoUsers", "UpdateDatabase"):
        assert [line for line in lines if line.startswith(f"✔ {state}")]
    (report,) = [line for line in lines if line.startswith("report: db_sync: s3://")]
    assert report.endswith("/db-sync.json")
    (saved,) = (line.removeprefix("page: ") for line in lines if line.startswith("page: "))
    assert "Staging equals production" in (PROJECT / saved).read_text()
    (PROJECT / saved).unlink()


def test_a_failure_is_reported_by_command_and_message_and_nothing_quotes_the_row(
    account: StagingAccount, mailbox: Mailbox, tmp_path: Path
) -> None:
    account.staging.change(ROW_RAISED)
    known = {sub for sub in (*subs(account.staging).values(), *account.pools.subs.values()) if sub}
    began = datetime.now(UTC)

    done = start(account, {"cognito_only": True}, tmp_path)

    assert done.returncode == 1, done.stderr
    assert "FAILED" in done.stdout
    arn = done.stdout.split()[1]
    text = mailbox.wait_for_message()
    message = json.loads(text)
    assert message["what"] == f"{STACK}: execution {arn.rsplit(':')[-1]} is FAILED"
    assert message["execution"].endswith(arn)
    assert "A function of the application's own" in message["cause"]
    logs = log_text(account, since=began)
    assert "listed the user pool" in logs
    for written in (done.stdout, text, logs, json.dumps(history(account, arn), default=str)):
        assert "@" not in written
        assert not [sub for sub in known if sub in written]
