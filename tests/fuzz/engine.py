"""Calls the sync as the command does; the fuzz test uses nothing else of the engine."""

import contextlib
from collections.abc import Iterator

from common.errors import StagingSyncError, VerificationFailed
from common.log import logger
from common.postgres.connection.address import DatabaseAddress
from db_sync.result import SyncResult
from db_sync.rules import SyncRules
from db_sync.run import SyncOptions
from db_sync.sync import sync_database
from db_sync.tuning import Tuning


def sync(
    source: str, target: str, rules: str, *, dry_run: bool, tuning: Tuning
) -> SyncResult | StagingSyncError:
    """Sync two databases; return the result or our error. Any other error is raised."""
    options = SyncOptions("fuzz", SyncRules.parse(rules), dry_run, tuning=tuning)
    addresses = DatabaseAddress.of_url(source), DatabaseAddress.of_url(target)
    with _silent_log():
        try:
            return sync_database(*addresses, options)
        except StagingSyncError as error:
            return error


@contextlib.contextmanager
def _silent_log() -> Iterator[None]:
    """Silence the engine's log for the length of a with statement."""
    level = logger.log_level
    logger.setLevel("CRITICAL")
    try:
        yield
    finally:
        logger.setLevel(level)


def is_fault(error: StagingSyncError) -> bool:
    """Return whether an error is a defect, given that nobody else uses the databases."""
    expected = {"SchemaMismatch", "ConfigurationError"}
    return type(error).__name__ not in expected or isinstance(error, VerificationFailed)
