"""Shows the workflow's tasks on a terminal while an execution runs."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.console import Console, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from statemachine.execution import POLL, RUN_TIMEOUT, Execution, StateEvent, Step, Workflow, wait

DEFINITION = Path(__file__).with_name("staging_sync.asl.json")


def table(columns: Sequence[str], rows: Iterable[Sequence[RenderableType]]) -> Table:
    """Return a plain table; a column whose name ends in a space has numbers."""
    result = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for column in columns:
        result.add_column(column.strip(), justify="right" if column.endswith(" ") else "left")
    for row in rows:
        result.add_row(*row)
    return result


def follow(
    console: Console,
    workflow: Workflow,
    arn: str,
    *,
    poll: float = POLL,
    timeout: float = RUN_TIMEOUT,
) -> Execution:
    """Show an execution's tasks until it has ended; otherwise like `wait`."""
    board = _Board()
    with Live(board.draw(), console=console, refresh_per_second=8) as live:

        def show(event: StateEvent) -> None:
            board.take(event)
            live.update(board.draw())

        ended = wait(workflow, arn, show, poll=poll, timeout=timeout)
        board.end()
        live.update(board.draw())
    if not console.is_terminal:
        console.print()  # a Live that is not on a terminal ends without a line break
    return ended


@dataclass(slots=True)
class _Task:
    """A task of the workflow, and its progress."""

    name: str
    purpose: str
    entered: datetime | None = None
    seconds: float | None = None  # in total: a large pool is listed in several rounds
    error: str = ""  # of its last attempt, if that failed
    has_failed: bool = False
    is_shown: bool = True

    def take(self, event: StateEvent) -> None:
        match event.step:
            case Step.ENTERED:
                self.entered, self.error, self.is_shown = event.at, "", True
            case Step.FAILED:
                self.error = event.error
            case Step.LEFT:
                assert self.entered is not None  # noqa: S101 - a state is entered before it is left
                self.seconds = (self.seconds or 0) + (event.at - self.entered).total_seconds()
                self.entered, self.error = None, ""

    def row(self) -> Sequence[RenderableType]:
        mark, style = self._light()
        seconds = "" if self.seconds is None else f"{self.seconds:.1f}"
        return (
            Text(mark, style=style),
            Text(self.name, style=style),
            self.purpose,
            seconds,
            self._note(),
        )

    def _note(self) -> str:
        if self.error and not self.has_failed:
            return f"{self.error}, will be retried"
        return self.error

    def _light(self) -> tuple[str, str]:
        if self.has_failed:
            return "✘", "bold red"
        if self.entered:
            return "▶", "bold yellow"
        return ("·", "dim") if self.seconds is None else ("✔", "green")


class _Board:
    """The workflow's tasks, in order; those of a sync in parts as one, and only once it begins."""

    def __init__(self) -> None:
        states: dict[str, dict[str, Any]] = json.loads(DEFINITION.read_text())["States"]
        self._tasks = {
            name: _Task(
                name,
                state["Comment"].split(". ")[0].rstrip("."),
                is_shown=state["Type"] == "Task",
            )
            for name, state in states.items()
            if state["Type"] in {"Task", "Parallel"}
        }

    def take(self, event: StateEvent) -> None:
        if event.state in self._tasks:
            self._tasks[event.state].take(event)

    def end(self) -> None:
        """Mark the task in which the execution ended as failed."""
        for task in self._tasks.values():
            task.has_failed = task.entered is not None

    def draw(self) -> Table:
        columns = ("", "state", "what it does", "seconds ", "")
        return table(columns, (task.row() for task in self._tasks.values() if task.is_shown))
