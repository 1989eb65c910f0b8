"""Limits of the engine that are small, so that a few rows take the ways of many."""

import contextlib
from collections.abc import Iterator
from unittest import mock

# From how many rows or ranges on the engine takes other ways.
LARGE = {
    "ranges.ROWS_PER_RANGE": 4,
    "ranges.FEW_ROWS": 8,
    "compare.FEW_RANGES": 4,
    "compare.MANY_RANGES": 16,
    "compare.SAMPLE": 8,
    "compare.MOST_DIRTY": 12,
    "fingerprint.MOST_DIRTY": 12,
    "verify.FEW_ROWS": 20,
    "whole.MANY_ROWS": 20,
}


@contextlib.contextmanager
def small_limits(is_large: bool) -> Iterator[None]:
    """Let the engine take small tables for large ones, for the length of a with statement."""
    with contextlib.ExitStack() as stack:
        for name, value in LARGE.items() if is_large else ():
            stack.enter_context(mock.patch(f"db_sync.{name}", value))
        yield
