"""The event by which Step Functions tells that an execution has ended.

Its fields: Step Functions developer guide, "Automating Step Functions event delivery with
EventBridge". Input, error and cause are missing if they are too large, or encrypted with a customer
managed key.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from common.errors import InvalidInput
from common.event import ExecutionInput, parse_execution_input
from write_report.model import Execution, Status

MOST_OF_INPUT = 4000  # characters that are kept of it; the console shows all


def parse_ended(event: object, console: str) -> Execution:
    """Return the execution that an event is about.

    Args:
        event: EventBridge's.
        console: the beginning of an execution's address in AWS's console, which its ARN follows.

    Raises:
        InvalidInput: it is no such event, or the execution has not ended.
    """
    detail = event.get("detail") if isinstance(event, dict) else None
    try:
        if not isinstance(detail, dict):
            raise TypeError
        given = _text(detail, "input")
        return Execution(
            name=str(detail["name"]),
            status=Status(detail["status"]),
            started_at=_moment(detail["startDate"]),
            ended_at=_moment(detail["stopDate"]),
            given=given[:MOST_OF_INPUT],
            input=_accepted(given),
            error=_text(detail, "error"),
            cause=message_of(_text(detail, "cause")),
            console=f"{console}{detail['executionArn']}" if console else "",
        )
    except (KeyError, TypeError, ValueError):
        raise InvalidInput(
            "The event is not that of an execution that has ended. EventBridge invokes this Lambda;"
            " to write a page again, start the execution again."
        ) from None


def execution_of(event: Mapping[str, Any]) -> object:
    """Return the execution's name in an event of any form."""
    detail = event.get("detail")
    return detail.get("name") if isinstance(detail, dict) else None


def message_of(cause: str) -> str:
    """Return the message in a cause, which Lambda wraps in JSON with a stack trace."""
    try:
        return str(json.loads(cause)["errorMessage"])
    except (ValueError, LookupError, TypeError):
        return cause


def _text(detail: Mapping[str, Any], field: str) -> str:
    value = detail.get(field)
    return value if isinstance(value, str) else ""


def _moment(milliseconds: int) -> str:
    """Return a moment as ISO 8601 in UTC; such texts are in the order of the moments."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="milliseconds")


def _accepted(given: str) -> ExecutionInput | None:
    """Return what an input asks for; None if the workflow does not accept it, or it is missing."""
    try:
        return parse_execution_input(json.loads(given))
    except (ValueError, InvalidInput):
        return None
