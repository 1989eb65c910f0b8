"""Calls the sync as the command does; the fuzz test uses nothing else of the engine."""

import contextlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from unittest.mock import patch

from common.errors import StagingSyncError, VerificationFailed
from common.log import logger
from common.postgres.connection.address import DatabaseAddress
from common.reports.sync import SyncResult
from db_sync.parts import jobs
from db_sync.rules import SyncRules
from db_sync.run import SyncOptions
from db_sync.sync import sync_database
from db_sync.tuning import Rates, Tuning

# So slow that a table of a few rows is divided, and small tables are parts of their own.
SLOW = Rates(compare=1_000, write=1_000)
PART_SECONDS = 3.0


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


def sync_in_parts(
    source: str, target: str, rules: str, *, tuning: Tuning
) -> SyncResult | StagingSyncError:
    """Sync two databases in as many parts as possible, two at a time; see `sync`."""
    slow = replace(tuning, rates=SLOW, part_seconds=PART_SECONDS, whole_seconds=PART_SECONDS)
    options = SyncOptions("fuzz", SyncRules.parse(rules), tuning=slow)
    addresses = DatabaseAddress.of_url(source), DatabaseAddress.of_url(target)
    # Processes take a second to start.
    with _silent_log(), patch.object(jobs, "processes", ThreadPoolExecutor):
        try:
            return jobs.sync_in_parts(*addresses, options, jobs=2)
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
