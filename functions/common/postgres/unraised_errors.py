"""Drops errors that the driver prints instead of raising them, since they quote rows.

If the server ends the session during COPY, psycopg2 gets two errors. It raises the second one, that
the connection was lost, and prints the first one, which quotes the current row, as the cause of a
SystemError through sys.excepthook (`pq_raise` in its pqpath.c). Notices are never printed.
"""

import functools
import sys
from types import TracebackType

import psycopg2


@functools.cache  # once in a process
def drop_unraised_errors() -> None:
    """Let sys.excepthook leave out the driver's unraised errors, and show all others as before."""
    show = sys.excepthook

    def show_others(
        kind: type[BaseException], error: BaseException, traceback: TracebackType | None
    ) -> None:
        if not (isinstance(error, SystemError) and isinstance(error.__cause__, psycopg2.Error)):
            show(kind, error, traceback)

    sys.excepthook = show_others
