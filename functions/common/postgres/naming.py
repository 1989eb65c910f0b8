"""Adds the name of the table or sequence to errors, which the server does not always report."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from common.errors import StagingSyncError
from common.postgres.names import Name


@contextmanager
def naming(kind: str, name: Name) -> Iterator[None]:
    """Add what is read or written in a with statement to an error that does not name it.

    Args:
        kind: "table" or "sequence".
        name: its name.
    """
    try:
        yield
    except StagingSyncError as error:
        if re.search(rf"{re.escape(str(name))}(?![\w$])", str(error)):
            raise
        raise error.adding(f"The {kind} is {name}.") from error
