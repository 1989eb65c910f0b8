"""The event that the state machine hands to each Lambda, checked before anything else."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from common.errors import InvalidInput

FLAGS = ("sync_cognito", "cognito_only", "dry_run")
IGNORED = ("Comment",)  # the console's own default input carries it
# Step Functions cuts a cause at 32,768 characters; a huge input must not push the message out.
NAMED_FIELDS = 10
NAME_LENGTH = 100
ACCEPTED = "Accepted are " + ", ".join(FLAGS) + " (each true or false)."


@dataclass(frozen=True, slots=True)
class ExecutionInput:
    """What the execution was asked to do."""

    sync_cognito: bool = False
    cognito_only: bool = False
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Event:
    """One invocation: the execution's name, its input, and what else the state passes."""

    execution: str
    input: ExecutionInput
    rest: Mapping[str, Any]


def parse_event(event: object) -> Event:
    """Return the checked event.

    Raises:
        InvalidInput: the execution's input is not an object, or has a field that is
            unknown or not a boolean; the message names each such field.
    """
    if not isinstance(event, dict):
        raise InvalidInput(f"The event must be a JSON object, not {_json_type(event)}.")
    execution = event.get("execution")
    if not isinstance(execution, str) or not execution or "/" in execution:
        raise InvalidInput(
            "The event's \"execution\" must be the execution's name. Start the state machine"
            " instead of invoking its Lambdas."
        )
    rest = {key: value for key, value in event.items() if key not in {"execution", "input"}}
    return Event(execution, parse_execution_input(event.get("input")), rest)


def parse_execution_input(value: object) -> ExecutionInput:
    """Return the checked execution input.

    Raises:
        InvalidInput: see `parse_event`.
    """
    if not isinstance(value, dict):
        raise InvalidInput(f"The input must be a JSON object, not {_json_type(value)}. {ACCEPTED}")
    unknown = [key[:NAME_LENGTH] for key in value if key not in FLAGS + IGNORED]
    problems = [f'"{key}" is not a field of the input' for key in unknown[:NAMED_FIELDS]]
    if len(unknown) > NAMED_FIELDS:
        problems.append(f"nor are {len(unknown) - NAMED_FIELDS} others")
    problems += [
        f'"{flag}" must be true or false, not {_json_type(value[flag])}'
        for flag in FLAGS
        if not isinstance(value.get(flag, False), bool)
    ]
    if problems:
        raise InvalidInput(f"{'; '.join(problems)}. {ACCEPTED}")
    return ExecutionInput(**{flag: value[flag] for flag in FLAGS if flag in value})


def _json_type(value: object) -> str:
    """Name the JSON type of a value; the value itself may be personal."""
    names = {
        dict: "an object",
        list: "an array",
        str: "a string",
        bool: "a boolean",
        type(None): "null",
    }
    return names.get(type(value), "a number")
