"""Starts an execution of the deployed workflow and follows it to its end."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Any, Protocol

from write_report.event import message_of

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

POLL = 0.2  # seconds
RUN_TIMEOUT = 120.0  # seconds; a run on the bookshop takes a few
# The details of the events by which a Lambda's invocation, or the task itself, fails.
FAILURES = (
    "lambdaFunctionFailedEventDetails",
    "lambdaFunctionTimedOutEventDetails",
    "lambdaFunctionScheduleFailedEventDetails",
    "lambdaFunctionStartFailedEventDetails",
    "taskFailedEventDetails",
    "taskTimedOutEventDetails",
)


class Workflow(Protocol):
    """A deployed state machine, and a client for it."""

    @property
    def states(self) -> "SFNClient":
        """The client for Step Functions."""

    @property
    def state_machine_arn(self) -> str:
        """The state machine's ARN."""


@dataclass(frozen=True, slots=True)
class Execution:
    """An execution that has ended."""

    arn: str
    status: str  # SUCCEEDED, FAILED, TIMED_OUT or ABORTED
    output: dict[str, Any]  # empty unless it succeeded
    error: str  # the error's name and its message, if it failed
    cause: str
    seconds: float

    @property
    def name(self) -> str:
        """The execution's name, which is part of the S3 keys of its files."""
        return self.arn.rsplit(":", 1)[1]


class Step(Enum):
    """What happened to a state."""

    ENTERED = "entered"
    FAILED = "failed"  # one attempt; there may be another
    LEFT = "left"


@dataclass(frozen=True, slots=True)
class StateEvent:
    """An execution entered a state, failed in it, or left it."""

    state: str
    step: Step
    at: datetime
    error: str = ""

    @property
    def entered(self) -> bool:
        """Whether the state was entered."""
        return self.step is Step.ENTERED


def run(workflow: Workflow, document: object) -> Execution:
    """Start an execution with a JSON document as its input, and wait until it has ended."""
    return wait(workflow, start(workflow, document))


def start(workflow: Workflow, document: object) -> str:
    """Start an execution and return its ARN."""
    return workflow.states.start_execution(
        stateMachineArn=workflow.state_machine_arn, input=json.dumps(document)
    )["executionArn"]


def wait(
    workflow: Workflow,
    arn: str,
    on_event: Callable[[StateEvent], None] = lambda _: None,
    *,
    poll: float = POLL,
    timeout: float = RUN_TIMEOUT,
) -> Execution:
    """Wait until an execution has ended.

    Args:
        workflow: the workflow of the execution.
        arn: the execution.
        on_event: is seen of each state as the execution enters and leaves it.
        poll: how often to ask, in seconds.
        timeout: how long to wait, in seconds.

    Raises:
        TimeoutError: it has not ended in time.
    """
    seen = 0
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        found = workflow.states.describe_execution(executionArn=arn)
        # Read after the status, so that an ended execution's events are complete.
        events = state_events(workflow, arn)
        for event in events[seen:]:
            on_event(event)
        seen = len(events)
        if found["status"] != "RUNNING":
            return Execution(
                arn=arn,
                status=found["status"],
                output=json.loads(found["output"]) if found["status"] == "SUCCEEDED" else {},
                error=found.get("error", ""),
                cause=message_of(found.get("cause", "")),
                seconds=(found["stopDate"] - found["startDate"]).total_seconds(),
            )
        time.sleep(poll)
    raise TimeoutError(f"{arn} has not ended after {timeout:.0f} s.")


def state_events(workflow: Workflow, arn: str) -> list[StateEvent]:
    """Return what happened to the states of an execution so far, in order."""
    events: list[StateEvent] = []
    states: dict[int, str] = {}  # that an event belongs to, by the event's id
    for entry in history(workflow, arn):
        at = entry["timestamp"]
        # Branches run at the same time: what an event follows is not always the event before it.
        # The API may leave that out, as the sandbox's does.
        state = states.get(entry.get("previousEventId", entry["id"] - 1), "")
        if entered := entry.get("stateEnteredEventDetails"):
            state = entered["name"]
            events.append(StateEvent(state, Step.ENTERED, at))
        elif left := entry.get("stateExitedEventDetails"):
            state = left["name"]
            events.append(StateEvent(state, Step.LEFT, at))
        elif state and (failed := [entry[name] for name in FAILURES if name in entry]):
            events.append(StateEvent(state, Step.FAILED, at, failed[0].get("error", "")))
        states[entry["id"]] = state
    return events


def history(workflow: Workflow, arn: str) -> list[Any]:
    """Return an execution's history."""
    pages = workflow.states.get_paginator("get_execution_history")
    return [entry for page in pages.paginate(executionArn=arn) for entry in page["events"]]
