"""The schedule: none unless configured, and never without an input."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.infra.synthesized import Synthesized, synthesize


def test_without_an_expression_there_is_no_schedule(bare: Synthesized) -> None:
    assert bare.resources("AWS::Scheduler::Schedule") == []


def test_the_schedule_starts_the_machine_at_the_time_that_is_set(full: Synthesized) -> None:
    schedule = full.only("AWS::Scheduler::Schedule")
    assert schedule["ScheduleExpression"] == "cron(0 3 * * ? *)"
    assert schedule["ScheduleExpressionTimezone"] == "Europe/Berlin"
    assert schedule["State"] == "ENABLED"
    assert schedule["FlexibleTimeWindow"] == {"Mode": "OFF"}
    assert full.text(schedule["Target"]["Arn"]) == "<Workflow/StateMachine>"


def test_the_schedule_asks_for_cognito_by_default(full: Synthesized) -> None:
    target = full.only("AWS::Scheduler::Schedule")["Target"]
    assert json.loads(target["Input"]) == {"sync_cognito": True}


@pytest.mark.parametrize("execution_input", [{}, {"dry_run": True}])
def test_another_input_is_passed_unchanged_even_an_empty_one(
    tmp_path: Path, minimal_settings: dict[str, Any], execution_input: dict[str, Any]
) -> None:
    stack = synthesize(
        tmp_path / "out",
        {
            **minimal_settings,
            "schedule_expression": "rate(1 day)",
            "schedule_input": execution_input,
        },
    )
    target = stack.only("AWS::Scheduler::Schedule")["Target"]
    assert json.loads(target["Input"]) == execution_input


def test_a_start_that_failed_at_night_is_not_retried_by_day(full: Synthesized) -> None:
    retries = full.only("AWS::Scheduler::Schedule")["Target"]["RetryPolicy"]
    assert retries == {"MaximumEventAgeInSeconds": 3600, "MaximumRetryAttempts": 10}


def test_a_start_that_failed_for_good_is_kept(full: Synthesized) -> None:
    target = full.only("AWS::Scheduler::Schedule")["Target"]
    assert full.text(target["DeadLetterConfig"]["Arn"]) == "<Schedule/DeadLetters.Arn>"
    queue = full.only("AWS::SQS::Queue")
    assert queue["MessageRetentionPeriod"] == 14 * 24 * 3600
    assert queue["SqsManagedSseEnabled"] is True


def test_window_retries_and_queue_are_what_the_settings_say(everything: Synthesized) -> None:
    schedule = everything.only("AWS::Scheduler::Schedule")
    assert schedule["FlexibleTimeWindow"] == {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 15}
    assert schedule["Target"]["RetryPolicy"] == {
        "MaximumEventAgeInSeconds": 1200,
        "MaximumRetryAttempts": 3,
    }
    assert "DeadLetterConfig" not in schedule["Target"]
    assert everything.resources("AWS::SQS::Queue") == []


def test_that_a_start_is_not_retried_is_a_setting_too(
    tmp_path: Path, minimal_settings: dict[str, Any]
) -> None:
    settings = {
        **minimal_settings,
        "schedule_expression": "rate(1 day)",
        "schedule_input": {},
        "schedule_retry_attempts": 0,
    }
    target = synthesize(tmp_path / "out", settings).only("AWS::Scheduler::Schedule")["Target"]
    assert target["RetryPolicy"]["MaximumRetryAttempts"] == 0
