"""What a command shows on a terminal: a progress bar per phase, its result, and its failures.

Only the command imports this: rich is not in the Lambdas' layer.
"""

import sys
from collections.abc import Callable
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn
from rich.table import Table

from common.errors import StagingSyncError
from common.reports.notices import by_importance
from common.reports.sync import SyncResult

DONE, FAILED, WRONG_CALL = 0, 1, 2  # a command's exit codes
PIECES = {"parts", "check"}  # phases of a sync in parts, that do not go by tables


def told(work: Callable[[], None], interrupted: str) -> int:
    """Do a command's work; return its exit code, and print why it failed.

    Args:
        work: what it does; prints its result itself.
        interrupted: what Ctrl-C has left behind, for a sentence.
    """
    try:
        work()
    except StagingSyncError as error:
        print(f"{type(error).__name__}: {error.message}", *error.reasons, sep="\n", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        print(f"Interrupted: {interrupted}.", file=sys.stderr)
        return FAILED
    return DONE


class Bars:
    """Progress bars on standard error, one per phase; none if that is not a terminal."""

    def __init__(self) -> None:
        console = Console(stderr=True)
        self._progress = Progress(
            TextColumn("{task.description:>8}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[what]}"),
            console=console,
            disable=not console.is_terminal,
        )
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def show(self, phase: str, done: int, total: int) -> None:
        """Show how far a phase is; see `Progress` in `db_sync.run`."""
        if phase not in self._tasks:
            if not total:
                return
            what = "" if phase in PIECES else "tables"
            self._tasks[phase] = self._progress.add_task(phase, total=total, what=what)
        self._progress.update(self._tasks[phase], completed=done, total=total)


def print_result(result: SyncResult) -> None:
    """Print what a sync did; the tables that changed come first."""
    console = Console()
    table = Table("table", "action", title=f"{result.status}, snapshot of {result.snapshot}")
    for heading in ("rows", "inserted", "updated", "deleted", "seconds"):
        table.add_column(heading, justify="right")
    for line in sorted(result.tables, key=lambda line: line.action == "none"):
        table.add_row(
            line.table,
            line.action,
            *(
                f"{number:,}"
                for number in (
                    line.rows,
                    line.rows_inserted,
                    line.rows_updated,
                    line.rows_deleted,
                )
            ),
            f"{sum(line.seconds.values()):.2f}",
        )
    console.print(table)
    for column, how in result.masked.items():
        console.print(f"masked: {column} ({how})", highlight=False, markup=False)
    for name, reason in result.left_alone.items():
        console.print(f"left alone: {name} ({reason})", highlight=False, markup=False)
    for notice in by_importance(result.notices):
        console.print(f"warning: {notice}", highlight=False, markup=False)
        if notice.mend not in notice.text:
            console.print(f"  {notice.mend}", highlight=False, markup=False)
    verified = "verified" if result.verified else "nothing written"
    how = "" if result.atomic else ", in parts"
    console.print(f"{verified}{how}, {result.duration_seconds:.1f} s", highlight=False)
