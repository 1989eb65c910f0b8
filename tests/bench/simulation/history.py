"""What Step Functions counts: entries in an execution's history, and state transitions.

Both follow from the states that are entered, which are those of the real definition.
"""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

DEFINITION = Path(__file__).resolve().parents[3] / "statemachine" / "staging_sync.asl.json"
# Entries for each state of a type: entered and exited; those of a Lambda: scheduled, started,
# succeeded; those of a Parallel: started, succeeded; those of a Map, and of its run: likewise.
ENTRIES = {"Pass": 2, "Choice": 2, "Succeed": 2, "Task": 5, "Parallel": 4, "Map": 6}
EXECUTION = 2  # entries: started, succeeded
START = 1  # transition, also of each child of a distributed Map

ONCE = (
    *("CognitoOnly?", "SyncDatabase", "Divided?", "SyncInParts"),
    *("SnapshotAEnded", "SnapshotBEnded", "PartsEnded", "SyncCognito?", "Done"),
)
ROUND = ("SyncParts", "FinishSync", "PartsLeft?")
TURN = ("KeepSnapshotA", "SnapshotANeeded?")
CHILD = ("SyncPart", "PartEnded")


def entries(*states: str) -> int:
    """Return how many entries the history gets when these states are entered."""
    return sum(ENTRIES[_types()[state]] for state in states)


@cache
def _types() -> dict[str, str]:
    """Return each state's type by its name, also of those inside of others."""
    return dict(_walk(json.loads(DEFINITION.read_text())))


def _walk(machine: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name, state in machine["States"].items():
        yield name, state["Type"]
        inner = [*state.get("Branches", []), state.get("ItemProcessor")]
        for nested in filter(None, inner):
            yield from _walk(nested)
