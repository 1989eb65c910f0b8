"""The sync, called as the command calls it: all that the fuzz test takes of the engine."""

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
    """Sync two databases by their URLs, and return what came of it; other errors are raised."""
    options = SyncOptions("fuzz", SyncRules.parse(rules), dry_run, tuning=tuning)
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
    """Return whether an error is no expected refusal, where nobody else is at the databases."""
    expected = {"SchemaMismatch", "ConfigurationError"}
    return type(error).__name__ not in expected or isinstance(error, VerificationFailed)
