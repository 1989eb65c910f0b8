"""Starting an execution of the deployed workflow, and following it to its end."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

POLL = 0.2  # seconds
RUN_TIMEOUT = 120.0  # seconds; a run on the bookshop takes a few
# Where Step Functions says how a Lambda's invocation failed; the last ones by what we may not do.
FAILURES = (
    "lambdaFunctionFailedEventDetails",
    "lambdaFunctionTimedOutEventDetails",
    "lambdaFunctionScheduleFailedEventDetails",
    "lambdaFunctionStartFailedEventDetails",
    "taskFailedEventDetails",
    "taskTimedOutEventDetails",
)


class Workflow(Protocol):
    """A state machine that is deployed, and the client that reaches it."""

    @property
    def states(self) -> "SFNClient":
        """The client of Step Functions."""

    @property
    def state_machine_arn(self) -> str:
        """The state machine."""


@dataclass(frozen=True, slots=True)
class Execution:
    """An execution that has ended."""

    arn: str
    status: str  # SUCCEEDED, FAILED, TIMED_OUT or ABORTED
    output: dict[str, Any]  # empty unless it succeeded
    error: str  # how it failed, and why
    cause: str
    seconds: float

    @property
    def name(self) -> str:
        """The name that keys what it wrote to S3."""
        return self.arn.rsplit(":", 1)[1]


class Step(Enum):
    """What happened to a state."""

    ENTERED = "entered"
    FAILED = "failed"  # one try of it; there may be another
    LEFT = "left"


@dataclass(frozen=True, slots=True)
class StateEvent:
    """An execution reached a state, failed in it, or left it."""

    state: str
    step: Step
    at: datetime
    error: str = ""

    @property
    def entered(self) -> bool:
        """Whether the state was reached."""
        return self.step is Step.ENTERED


def run(workflow: Workflow, document: object) -> Execution:
    """Start an execution with a JSON document as its input and wait for its end."""
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
        workflow: whose execution it is.
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
        # Asked for after the status: the events of an execution that has ended are all there.
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
                cause=_message(found.get("cause", "")),
                seconds=(found["stopDate"] - found["startDate"]).total_seconds(),
            )
        time.sleep(poll)
    raise TimeoutError(f"{arn} has not ended after {timeout:.0f} s.")


def _message(cause: str) -> str:
    """Return the sentence in a cause: Lambda wraps it in JSON."""
    try:
        return str(json.loads(cause)["errorMessage"])
    except (ValueError, LookupError, TypeError):
        return cause


def state_events(workflow: Workflow, arn: str) -> list[StateEvent]:
    """Return what happened to the states of an execution so far, in order."""
    events: list[StateEvent] = []
    for entry in history(workflow, arn):
        at = entry["timestamp"]
        if entered := entry.get("stateEnteredEventDetails"):
            events.append(StateEvent(entered["name"], Step.ENTERED, at))
        elif left := entry.get("stateExitedEventDetails"):
            events.append(StateEvent(left["name"], Step.LEFT, at))
        elif events and (failed := [entry[name] for name in FAILURES if name in entry]):
            # Nothing runs side by side: what fails is the state that was entered last.
            error = failed[0].get("error", "")
            events.append(StateEvent(events[-1].state, Step.FAILED, at, error))
    return events


def history(workflow: Workflow, arn: str) -> list[Any]:
    """Return all that Step Functions keeps of an execution."""
    pages = workflow.states.get_paginator("get_execution_history")
    return [entry for page in pages.paginate(executionArn=arn) for entry in page["events"]]
