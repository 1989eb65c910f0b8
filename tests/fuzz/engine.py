"""The sync, called as the command calls it: all that the fuzz test takes of the engine."""

import contextlib
from collections.abc import Iterator
from unittest import mock

from common.address import DatabaseAddress
from common.errors import StagingSyncError, VerificationFailed
from common.log import logger
from db_sync.result import SyncResult
from db_sync.rules import SyncRules
from db_sync.run import SyncOptions
from db_sync.sync import sync_database

# From how many rows or ranges on the engine takes other ways; few here, for some of the rounds.
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


def sync(source: str, target: str, rules: str, *, dry_run: bool) -> SyncResult | StagingSyncError:
    """Sync two databases by their URLs, and return what came of it; other errors are raised."""
    options = SyncOptions("fuzz", SyncRules.parse(rules), dry_run)
    addresses = DatabaseAddress.of_url(source), DatabaseAddress.of_url(target)
    with _silent_log():
        try:
            return sync_database(*addresses, options)
        except StagingSyncError as error:
            return error


@contextlib.contextmanager
def _silent_log() -> Iterator[None]:
    """Let the engine log nothing, for the length of a with statement; the rounds' table tells."""
    level = logger.log_level
    logger.setLevel("CRITICAL")
    try:
        yield
    finally:
        logger.setLevel(level)


def is_fault(error: StagingSyncError) -> bool:
    """Return whether an error is no honest refusal, where nobody else is at the databases."""
    honest = {"SchemaMismatch", "ConfigurationError"}
    return type(error).__name__ not in honest or isinstance(error, VerificationFailed)


@contextlib.contextmanager
def small_limits(is_large: bool) -> Iterator[None]:  # as a round says it
    """Let the engine take small tables for large ones, for the length of a with statement."""
    with contextlib.ExitStack() as stack:
        for name, value in LARGE.items() if is_large else ():
            stack.enter_context(mock.patch(f"db_sync.{name}", value))
        yield
