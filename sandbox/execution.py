"""Starting an execution of the deployed workflow, and following it to its end."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sandbox.account import StagingAccount

POLL = 0.2  # seconds
TIMEOUT = 120.0  # seconds; a run on the bookshop takes a few


@dataclass(frozen=True, slots=True)
class Execution:
    """An execution that has ended."""

    arn: str
    status: str  # SUCCEEDED, FAILED, TIMED_OUT or ABORTED
    output: dict[str, Any]  # empty unless it succeeded
    error: str  # the name of what it failed with; empty if it did not fail
    cause: str  # why it failed
    seconds: float

    @property
    def name(self) -> str:
        """The name that keys what it wrote to S3."""
        return self.arn.rsplit(":", 1)[1]


@dataclass(frozen=True, slots=True)
class StateEvent:
    """An execution reached a state, or left it."""

    state: str
    entered: bool
    at: datetime


def run(account: StagingAccount, document: object) -> Execution:
    """Start an execution with a JSON document as its input and wait for its end."""
    return wait(account, start(account, document))


def _message(cause: str) -> str:
    """Return the sentence in a cause: Lambda wraps it in JSON."""
    try:
        return str(json.loads(cause)["errorMessage"])
    except (ValueError, LookupError, TypeError):
        return cause


def start(account: StagingAccount, document: object) -> str:
    """Start an execution and return its ARN."""
    return account.clients.states.start_execution(
        stateMachineArn=account.state_machine_arn, input=json.dumps(document)
    )["executionArn"]


def wait(
    account: StagingAccount, arn: str, on_event: Callable[[StateEvent], None] = lambda _: None
) -> Execution:
    """Wait until an execution has ended.

    Args:
        account: where it runs.
        arn: the execution.
        on_event: is told of each state as the execution enters and leaves it.

    Raises:
        TimeoutError: it has not ended in time.
    """
    told = 0
    deadline = time.monotonic() + TIMEOUT
    while time.monotonic() < deadline:
        found = account.clients.states.describe_execution(executionArn=arn)
        # Asked for after the status: the events of an execution that has ended are all there.
        events = state_events(account, arn)
        for event in events[told:]:
            on_event(event)
        told = len(events)
        if found["status"] != "RUNNING":
            return Execution(
                arn=arn,
                status=found["status"],
                output=json.loads(found["output"]) if found["status"] == "SUCCEEDED" else {},
                error=found.get("error", ""),
                cause=_message(found.get("cause", "")),
                seconds=(found["stopDate"] - found["startDate"]).total_seconds(),
            )
        time.sleep(POLL)
    raise TimeoutError(f"{arn} has not ended after {TIMEOUT:.0f} s.")


def state_events(account: StagingAccount, arn: str) -> list[StateEvent]:
    """Return the states that an execution has entered and left so far, in order."""
    events = []
    for entry in history(account, arn):
        for entered, details in (
            (True, "stateEnteredEventDetails"),
            (False, "stateExitedEventDetails"),
        ):
            if details in entry:
                events.append(StateEvent(entry[details]["name"], entered, entry["timestamp"]))
    return events


def history(account: StagingAccount, arn: str) -> list[Any]:
    """Return all that Step Functions keeps of an execution."""
    pages = account.clients.states.get_paginator("get_execution_history")
    return [entry for page in pages.paginate(executionArn=arn) for entry in page["events"]]
