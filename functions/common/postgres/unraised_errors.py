"""Errors that the driver prints instead of raising them are dropped: they quote rows.

A server that ends a session during COPY gives the driver two errors. It cannot raise both, so it
prints the first one, with the row at hand, through sys.excepthook (`pq_raise` of psycopg2's
pqpath.c), wrapped in a SystemError. The second one is raised, and says that the connection was
lost. Notices are never printed.
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
