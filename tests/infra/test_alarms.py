"""Notifications of executions that do not succeed, or do not start."""

import json
from typing import Any

import pytest

from cdk.monitoring.alarms import no_start_hours
from cdk.settings.model import Settings
from tests.infra.synthesized import (
    CHAT_TOPIC,
    CUSTOMER_KEY,
    SECRETS,
    TOPIC,
    Synthesized,
    synthesize,
)

NIGHTLY = "cron(0 3 * * ? *)"


@pytest.fixture(scope="module")
def mailed(
    tmp_path_factory: pytest.TempPathFactory, minimal_settings: dict[str, Any]
) -> Synthesized:
    """A stack with a nightly schedule, whose failures are mailed."""
    settings = {
        **minimal_settings,
        "schedule_expression": NIGHTLY,
        "schedule_input": {},
        "alarm_email": "on-call@example.com",
        "alarm_no_start_hours": 50,
        "kms_key_arn": CUSTOMER_KEY,
    }
    return synthesize(tmp_path_factory.mktemp("mailed"), settings)


def message_of(stack: Synthesized, detail: dict[str, Any], rule: str = "Rule") -> dict[str, Any]:
    """Return what EventBridge publishes about an event: it fills in a template."""
    (target,) = stack.paths("AWS::Events::Rule")[f"Alarms/Failures/{rule}"]["Targets"]
    template = stack.text(target["InputTransformer"]["InputTemplate"])
    for name, path in target["InputTransformer"]["InputPathsMap"].items():
        value = detail[path.removeprefix("$.detail.")]
        template = template.replace(f":<{name}>", f":{json.dumps(value)}")
        template = template.replace(f"<{name}>", str(value))
    message: dict[str, Any] = json.loads(template)
    return message


def test_without_an_address_or_a_topic_nobody_is_notified(bare: Synthesized) -> None:
    for kind in ("AWS::SNS::Topic", "AWS::CloudWatch::Alarm"):
        assert bare.resources(kind) == []
    assert set(bare.paths("AWS::Events::Rule")) == {"ReportPage/Rule"}


def test_every_execution_that_does_not_succeed_is_published(mailed: Synthesized) -> None:
    rule = mailed.paths("AWS::Events::Rule")["Alarms/Failures/Rule"]
    detail = rule["EventPattern"].pop("detail")
    assert rule["EventPattern"] == {
        "source": ["aws.states"],
        "detail-type": ["Step Functions Execution Status Change"],
    }
    assert detail["status"] == ["FAILED", "TIMED_OUT", "ABORTED"]
    assert [mailed.text(arn) for arn in detail["stateMachineArn"]] == ["<Workflow/StateMachine>"]
    assert rule["State"] == "ENABLED"
    (target,) = rule["Targets"]
    assert mailed.text(target["Arn"]) == "<Alarms/Topic>"
    assert "RoleArn" not in target, "EventBridge publishes to topics by their own policy"


def test_the_message_says_what_failed_and_why_and_links_to_the_execution(
    mailed: Synthesized,
) -> None:
    arn = "arn:aws:states:eu-central-1:111122223333:execution:staging-sync-staging:run-1"
    cause = json.dumps({"errorMessage": 'Role "x" lacks a right.', "errorType": "TargetBusy"})

    message = message_of(
        mailed,
        {
            "name": "run-1",
            "status": "FAILED",
            "error": "TargetBusy",
            "cause": cause,
            "executionArn": arn,
        },
    )

    assert message["what"] == "staging-sync-staging: execution run-1 is FAILED"
    assert (message["error"], message["cause"]) == ("TargetBusy", cause)
    assert message["execution"].startswith("https://<AWS::Region>.console.aws.amazon.com/states/")
    assert message["execution"].endswith(f"#/v2/executions/details/{arn}")
    assert message["report"] == (
        "https://<AWS::Region>.console.aws.amazon.com/s3/object/<Exchange/Bucket>"
        "?region=<AWS::Region>&prefix=executions/run-1/report.html"
    )


def test_an_execution_that_was_stopped_has_no_error_and_is_published_too(
    mailed: Synthesized,
) -> None:
    ended = {
        "name": "run-1",
        "status": "ABORTED",
        "error": None,
        "cause": None,
        "executionArn": "a",
    }

    message = message_of(mailed, ended)

    assert message["what"] == "staging-sync-staging: execution run-1 is ABORTED"
    assert message["error"] is None


def test_the_message_does_not_contain_the_input_which_may_contain_anything(
    mailed: Synthesized,
) -> None:
    (target,) = mailed.paths("AWS::Events::Rule")["Alarms/Failures/Rule"]["Targets"]
    paths = set(target["InputTransformer"]["InputPathsMap"].values())
    assert paths.isdisjoint({"$.detail", "$.detail.input", "$.detail.output"})


def test_the_address_is_subscribed_to_a_topic_that_is_encrypted_with_the_customer_s_key(
    mailed: Synthesized,
) -> None:
    assert mailed.only("AWS::SNS::Topic")["KmsMasterKeyId"] == CUSTOMER_KEY
    subscription = mailed.only("AWS::SNS::Subscription")
    assert (subscription["Protocol"], subscription["Endpoint"]) == ("email", "on-call@example.com")
    assert mailed.text(subscription["TopicArn"]) == "<Alarms/Topic>"


def test_only_eventbridge_and_this_account_s_alarms_publish_and_only_by_tls(
    mailed: Synthesized,
) -> None:
    statements = mailed.only("AWS::SNS::TopicPolicy")["PolicyDocument"]["Statement"]
    refused, *allowed = sorted(statements, key=lambda each: str(each["Effect"]), reverse=True)
    assert refused["Effect"] == "Deny"
    assert refused["Principal"] == "*"
    assert refused["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert {each["Principal"]["Service"]: each.get("Condition") for each in allowed} == {
        "events.amazonaws.com": None,
        "cloudwatch.amazonaws.com": {
            "StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
        },
    }
    assert {each["Action"] for each in [refused, *allowed]} == {"sns:Publish"}


def test_an_existing_topic_is_used_instead_and_not_changed(everything: Synthesized) -> None:
    (target,) = everything.paths("AWS::Events::Rule")["Alarms/Failures/Rule"]["Targets"]
    assert target["Arn"] == TOPIC
    for kind in ("Topic", "TopicPolicy", "Subscription"):
        assert everything.resources(f"AWS::SNS::{kind}") == []
    for alarm in everything.resources("AWS::CloudWatch::Alarm"):
        assert alarm["AlarmActions"] == [TOPIC, CHAT_TOPIC]


@pytest.fixture(scope="module")
def chatty(
    tmp_path_factory: pytest.TempPathFactory, minimal_settings: dict[str, Any]
) -> Synthesized:
    """A stack whose failures are reported in a chat and nowhere else."""
    settings = {**minimal_settings, "chat_topic_arn": CHAT_TOPIC}
    return synthesize(tmp_path_factory.mktemp("chatty"), settings)


CHAT_EVENTS = [
    ("Chat", "FAILED", "TargetBusy", "staging-sync-staging failed: TargetBusy"),
    ("ChatWithoutError", "TIMED_OUT", None, "staging-sync-staging: an execution is TIMED_OUT"),
    ("ChatWithoutError", "ABORTED", None, "staging-sync-staging: an execution is ABORTED"),
]


@pytest.mark.parametrize(("rule", "status", "error", "title"), CHAT_EVENTS)
def test_the_chat_gets_what_amazon_q_developer_shows(
    chatty: Synthesized, rule: str, status: str, error: str | None, title: str
) -> None:
    detail = {"name": "run-1", "status": status, "error": error, "executionArn": "arn:run-1"}

    message = message_of(chatty, detail, rule)

    assert (message["version"], message["source"]) == ("1.0", "custom")
    content = message["content"]
    assert content["title"] == title
    assert content["description"].startswith(f"Execution run-1 is {status}. Its report: https://")
    assert "prefix=executions/run-1/report.html" in content["description"]
    assert content["description"].endswith("/executions/details/arn:run-1")
    # A message with any other field is dropped.
    assert message.keys() == {"version", "source", "content"}
    assert content.keys() == {"textType", "title", "description", "nextSteps"}
    assert content["textType"] == "client-markdown"


def test_the_chat_gets_one_message_for_each_execution_that_does_not_succeed(
    chatty: Synthesized,
) -> None:
    rules = [
        rule
        for path, rule in chatty.paths("AWS::Events::Rule").items()
        if path.startswith("Alarms/")
    ]
    statuses = [status for rule in rules for status in rule["EventPattern"]["detail"]["status"]]
    assert sorted(statuses) == ["ABORTED", "FAILED", "TIMED_OUT"]
    assert {target["Arn"] for rule in rules for target in rule["Targets"]} == {CHAT_TOPIC}
    assert chatty.resources("AWS::SNS::Topic") == []


@pytest.mark.parametrize("ended", ["Failed", "TimedOut", "Aborted"])
def test_an_execution_that_does_not_succeed_raises_an_alarm_even_if_its_event_is_lost(
    mailed: Synthesized, ended: str
) -> None:
    alarm = mailed.paths("AWS::CloudWatch::Alarm")[f"Alarms/{ended}"]
    assert (alarm["Namespace"], alarm["MetricName"]) == ("AWS/States", f"Executions{ended}")
    (dimension,) = alarm["Dimensions"]
    assert mailed.text(dimension["Value"]) == "<Workflow/StateMachine>"
    assert (alarm["Statistic"], alarm["Threshold"], alarm["EvaluationPeriods"]) == ("Sum", 1, 1)
    assert alarm["ComparisonOperator"] == "GreaterThanOrEqualToThreshold"
    assert alarm["TreatMissingData"] == "notBreaching"
    assert [mailed.text(arn) for arn in alarm["AlarmActions"]] == ["<Alarms/Topic>"]
    assert "OKActions" not in alarm, "five minutes later it is over, which says nothing"


def test_a_night_without_a_start_raises_an_alarm(mailed: Synthesized) -> None:
    alarm = mailed.paths("AWS::CloudWatch::Alarm")["Alarms/NoStart"]
    assert (alarm["Namespace"], alarm["MetricName"]) == ("AWS/States", "ExecutionsStarted")
    (dimension,) = alarm["Dimensions"]
    assert mailed.text(dimension["Value"]) == "<Workflow/StateMachine>"
    assert (alarm["Statistic"], alarm["Period"], alarm["EvaluationPeriods"]) == ("Sum", 3600, 50)
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("LessThanThreshold", 1)
    assert alarm["TreatMissingData"] == "breaching", "without a start there is no metric either"
    assert "docs/operations.md" in alarm["AlarmDescription"]


def test_a_start_that_failed_for_good_raises_an_alarm(mailed: Synthesized) -> None:
    alarm = mailed.paths("AWS::CloudWatch::Alarm")["Alarms/DeadLetters"]
    assert alarm["MetricName"] == "ApproximateNumberOfMessagesVisible"
    (dimension,) = alarm["Dimensions"]
    assert mailed.text(dimension["Value"]) == "<Schedule/DeadLetters.QueueName>"
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == (
        "GreaterThanOrEqualToThreshold",
        1,
    )
    assert alarm["TreatMissingData"] == "notBreaching"


def test_a_page_that_was_not_written_raises_an_alarm(mailed: Synthesized) -> None:
    alarm = mailed.paths("AWS::CloudWatch::Alarm")["Alarms/NoReport"]
    assert (alarm["Namespace"], alarm["MetricName"]) == ("AWS/Lambda", "Errors")
    (dimension,) = alarm["Dimensions"]
    assert mailed.text(dimension["Value"]) == "<Lambdas/WriteReport/Function>"
    assert (alarm["Statistic"], alarm["Threshold"]) == ("Sum", 1)
    assert alarm["TreatMissingData"] == "notBreaching"
    assert "'There is no report' in docs/operations.md" in alarm["AlarmDescription"]


@pytest.mark.parametrize(
    ("schedule", "hours"),
    [
        ({"schedule_expression": "rate(30 minutes)"}, 3),
        ({"schedule_expression": "rate(1 day)"}, 24 + 2),
        ({"schedule_expression": "rate(2 days)"}, 48 + 2),
        ({"schedule_expression": "rate(1 day)", "schedule_window_minutes": 90}, 24 + 4),
        ({"schedule_expression": "rate(1 day)", "alarm_no_start_hours": 30}, 30),
        # More than an alarm can evaluate.
        ({"schedule_expression": "rate(7 days)"}, None),
        # When the clocks change, a nightly start may be skipped: somebody has to say for how long.
        ({"schedule_expression": "cron(30 2 * * ? *)"}, None),
        ({"schedule_expression": "cron(30 2 * * ? *)", "alarm_no_start_hours": 50}, 50),
        ({"schedule_expression": "at(2027-01-01T03:00:00)"}, None),
        # Something else than our schedule starts it.
        ({"alarm_no_start_hours": 50}, 50),
        ({}, None),
    ],
)
def test_no_start_is_raised_after_the_hours_that_are_set_or_the_longest_gap_of_a_rate(
    schedule: dict[str, Any], hours: int | None
) -> None:
    assert no_start_hours(Settings.model_validate({**SECRETS, **schedule})) == hours


def test_a_deployment_says_so_if_no_alarm_monitors_the_schedule(
    full: Synthesized, mailed: Synthesized
) -> None:
    assert "Alarms/NoStart" not in full.paths("AWS::CloudWatch::Alarm")
    assert [text for text in notes(full) if "set alarm_no_start_hours" in text]
    assert notes(mailed) == []


def notes(stack: Synthesized) -> list[str]:
    """Return what `cdk deploy` prints about the stack as information."""
    texts: list[str] = []
    for path in stack.assembly.glob("*.metadata.json"):
        entries = [entry for listed in json.loads(path.read_text()).values() for entry in listed]
        texts += [entry["data"] for entry in entries if entry["type"] == "aws:cdk:info"]
    return texts
