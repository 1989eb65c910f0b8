"""Keeps the driver from printing rows.

Where a connection breaks in the middle of a COPY, psycopg2 prints the server's message to
sys.stderr before it raises, and that message quotes a row.
"""

import io
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

_lock = threading.Lock()
_silenced: list[TextIO] = []  # the real stream, once for every COPY that runs


@contextmanager
def silent_stderr() -> Iterator[None]:
    """Drop what is printed to sys.stderr meanwhile; safe where two COPYs run in two threads.

    Who holds the stream itself, as the logger and the progress bars do, goes on writing to it.
    """
    with _lock:
        if not _silenced:
            real, sys.stderr = sys.stderr, io.StringIO()
        else:
            real = _silenced[0]
        _silenced.append(real)
    try:
        yield
    finally:
        with _lock:
            real = _silenced.pop()
            if not _silenced:
                sys.stderr = real
