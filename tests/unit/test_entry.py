import io
import json
import traceback
from collections.abc import Callable
from typing import Any

import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext

from common.entry import Handler, entry_point
from common.errors import InvalidInput, StagingSyncError, TargetBusy
from common.event import Event, ExecutionInput
from tests.support.lambda_context import FakeContext

EVENT = {"execution": "run-1", "input": {"dry_run": True}, "cognito_users": {"bucket": "exchange"}}


def lines(logged: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in logged.getvalue().splitlines()]


def raising(error: Exception) -> Handler:
    @entry_point
    def handler(_event: Event, _context: LambdaContext) -> dict[str, Any]:
        raise error

    return handler


def test_a_handler_receives_the_checked_event_and_returns_its_result() -> None:
    received = []

    @entry_point
    def handler(event: Event, context: LambdaContext) -> dict[str, Any]:
        received.append((event, context))
        return {"done": True}

    context = FakeContext()

    assert handler(EVENT, context) == {"done": True}
    assert received == [
        (
            Event("run-1", ExecutionInput(dry_run=True), {"cognito_users": {"bucket": "exchange"}}),
            context,
        )
    ]


@pytest.mark.parametrize(
    "event",
    [
        {"execution": "run-1", "input": {"sync_congito": True}},
        {"execution": "run-1", "input": "x"},
        {"execution": "run-1"},
        {"execution": ["run-1"], "input": {}},
        {},
    ],
)
def test_a_bad_event_is_refused_before_the_handler_does_anything(event: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        raising(AssertionError("the handler ran"))(event, FakeContext())


def test_an_error_of_the_contract_is_raised_unchanged_and_logged_with_the_execution(
    logged: io.StringIO,
) -> None:
    error = TargetBusy("Process 42 holds a lock on public.users. Try again later.")

    with pytest.raises(TargetBusy) as caught:
        raising(error)(EVENT, FakeContext())

    assert caught.value is error
    started, line = lines(logged)
    assert (started["message"], started["execution"]) == ("started", "run-1")
    assert (line["level"], line["message"], line["execution"]) == ("ERROR", "failed", "run-1")
    assert (line["error"], line["cause"]) == ("TargetBusy", str(error))


@pytest.mark.parametrize(
    "error",
    [
        ValueError("invalid literal: 'jane@example.com'"),
        KeyError("jane@example.com"),
        ZeroDivisionError(),
    ],
)
def test_an_unexpected_error_is_raised_and_logged_without_its_message(
    logged: io.StringIO, error: Exception
) -> None:
    with pytest.raises(StagingSyncError) as caught:
        raising(error)(EVENT, FakeContext())

    assert type(caught.value) is StagingSyncError
    assert f"Unexpected {type(error).__name__}" in str(caught.value)
    assert "jane@example.com" not in str(caught.value)
    assert "jane@example.com" not in logged.getvalue()
    _, line = lines(logged)
    assert (line["message"], line["execution"]) == ("failed unexpectedly", "run-1")
    assert line["error"] == type(error).__name__


def test_a_line_does_not_name_the_execution_of_the_previous_invocation(logged: io.StringIO) -> None:
    with pytest.raises(TargetBusy):
        raising(TargetBusy("Busy."))(EVENT, FakeContext())
    with pytest.raises(InvalidInput):
        raising(TargetBusy("Busy."))({"input": {}}, FakeContext())

    _, first, _, second = lines(logged)
    assert first["execution"] == "run-1"
    assert "execution" not in second


def raise_from_driver() -> None:
    """Raise as our code does when the driver's error quotes a row."""
    try:
        raise KeyError("jane@example.com")
    except KeyError as error:
        raise TargetBusy("Busy.") from error


def fail_unexpectedly() -> None:
    raise KeyError("jane@example.com")


@pytest.mark.parametrize("fail", [raise_from_driver, fail_unexpectedly])
def test_printing_the_error_shows_where_it_was_raised_and_not_its_cause(
    fail: Callable[[], None],
) -> None:
    @entry_point
    def handler(_event: Event, _context: LambdaContext) -> dict[str, Any]:
        fail()
        return {}

    with pytest.raises(StagingSyncError) as caught:
        handler(EVENT, FakeContext())

    printed = "".join(traceback.format_exception(caught.value))
    assert f"in {fail.__name__}" in printed
    assert "\nKeyError" not in printed
    assert "KeyError: 'jane" not in printed
