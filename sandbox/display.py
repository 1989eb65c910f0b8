"""What the demo shows: tables, and the workflow's states as they light up."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import Console, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from sandbox.account import StagingAccount
from sandbox.cloud import PROJECT
from sandbox.execution import Execution, StateEvent, wait
from sandbox.logins import Found, Login

DEFINITION = PROJECT / "statemachine" / "staging_sync.asl.json"
STYLES = {Found.OWN_ROW: "green", Found.NO_ROW: "red", Found.ANOTHERS_ROW: "bold red"}


def table(columns: Sequence[str], rows: Iterable[Sequence[RenderableType]]) -> Table:
    """Return a plain table; columns whose name ends in a blank hold numbers."""
    result = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for column in columns:
        result.add_column(column.strip(), justify="right" if column.endswith(" ") else "left")
    for row in rows:
        result.add_row(*row)
    return result


def login_table(logins: Iterable[Login]) -> Table:
    """Return who logs in as what, and what they find."""
    return table(
        ("who", "logs in as", "and", "orders "),
        (
            (
                login.person.name,
                login.account.username,
                Text(login.found.value, style=STYLES[login.found]),
                str(login.orders) if login.found is Found.OWN_ROW else "",
            )
            for login in logins
        ),
    )


def follow(console: Console, account: StagingAccount, arn: str) -> Execution:
    """Show an execution's tasks as they light up, until it has ended."""
    board = _Board()
    with Live(board.draw(), console=console, refresh_per_second=8) as live:

        def show(event: StateEvent) -> None:
            board.take(event)
            live.update(board.draw())

        ended = wait(account, arn, show)
    if not console.is_terminal:
        console.print()  # a Live that is not shown ends without a line break
    return ended


class _Board:
    """The workflow's tasks, in order, and how far each is."""

    def __init__(self) -> None:
        states: dict[str, dict[str, Any]] = json.loads(DEFINITION.read_text())["States"]
        self._tasks = {
            name: state["Comment"].split(". ")[0].rstrip(".")
            for name, state in states.items()
            if state["Type"] == "Task"
        }
        self._entered: dict[str, StateEvent] = {}
        self._exited: dict[str, StateEvent] = {}

    def take(self, event: StateEvent) -> None:
        (self._entered if event.entered else self._exited)[event.state] = event

    def draw(self) -> Table:
        return table(
            ("", "state", "what it does", "seconds "),
            ((*self._light(name), text, self._seconds(name)) for name, text in self._tasks.items()),
        )

    def _light(self, name: str) -> tuple[Text, Text]:
        if name in self._exited:
            return Text("✔", style="green"), Text(name, style="green")
        if name in self._entered:
            return Text("▶", style="bold yellow"), Text(name, style="bold yellow")
        return Text("·", style="dim"), Text(name, style="dim")

    def _seconds(self, name: str) -> str:
        if name not in self._exited:
            return ""
        return f"{(self._exited[name].at - self._entered[name].at).total_seconds():.1f}"
