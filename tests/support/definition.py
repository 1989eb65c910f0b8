"""The states of the workflow's definition, also those within other states."""

from collections.abc import Iterator
from typing import Any


def machines(machine: dict[str, Any]) -> Iterator[dict[str, dict[str, Any]]]:
    """Return the states of a machine, and of each branch and each item's machine within."""
    yield machine["States"]
    for state in machine["States"].values():
        for inner in (*state.get("Branches", ()), state.get("ItemProcessor", {"States": {}})):
            yield from machines(inner)


def all_states(definition: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return every state by its name, in the order of the definition, outer states first."""
    return {name: state for states in machines(definition) for name, state in states.items()}


def tasks(definition: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return those that invoke a Lambda."""
    states = all_states(definition)
    return {name: state for name, state in states.items() if state["Type"] == "Task"}
