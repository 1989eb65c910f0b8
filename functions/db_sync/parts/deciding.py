"""Whether a sync is done in one, or divided into parts since one Lambda has no time for it."""

import time
from collections.abc import Callable
from dataclasses import replace

from common.errors import ConfigurationError, OutOfTime
from common.log import logger
from common.postgres.connection.address import DatabaseAddress
from common.postgres.deadline import MARGIN, Deadline
from common.reports.sync import SyncResult
from db_sync.parts.dividing import Limits, divide
from db_sync.parts.opening import begin_target
from db_sync.parts.part import Division
from db_sync.parts.sizes import may_be_divided, measure
from db_sync.plan.snapshot import open_snapshots
from db_sync.run import Run, SyncOptions, sessions
from db_sync.sync import sync_database

# Of the seconds that a run keeps for its end, those in which it can still be divided.
LATE = MARGIN - 5.0
WHOLE = 2.0  # times a part's seconds: a table that takes longer is divided
NEVER = (
    'It could be done in parts, while staging is in between: set "in_parts" in cdk.json if that may'
    " be, and deploy."
)
NOT_EMPTY = (
    "It could be done in parts, but staging is not empty and would be in between meanwhile: set"
    ' "in_parts": "when_needed" in cdk.json if that may be, and deploy.'
)


def sync_or_divide(
    source_address: DatabaseAddress,
    target_address: DatabaseAddress,
    options: SyncOptions,
    save_report: Callable[[SyncResult], None],
    concurrency: int,
) -> SyncResult | Division:
    """Make the target's rows equal to the source's, or divide that if there is no time for it.

    Nothing is written in the latter case.

    Args:
        source_address: production; only read.
        target_address: staging.
        options: `in_parts` says when a sync may be divided.
        save_report: called with the result before the commit.
        concurrency: how many parts run at the same time.

    Raises:
        OutOfTime: there is no time, and the sync may not be divided, or cannot be.
        StagingSyncError: another one of `common.errors`; the target is as it was.
    """
    started = time.time()
    try:
        return sync_database(source_address, target_address, options, save_report)
    except OutOfTime as error:
        if options.dry_run:
            raise
        if options.in_parts == "never":
            raise error.adding(NEVER) from error
        logger.info("there is no time for the sync in one transaction", why=error.message)
        why = error
    at = options.deadline.at
    late = replace(options, deadline=Deadline(None if at is None else at + LATE))
    with sessions(source_address, target_address, late) as run:
        return _divide(run, why, started, concurrency)


def _divide(run: Run, why: OutOfTime, started: float, concurrency: int) -> Division:
    """Divide a sync; `why` it must be."""
    begin_target(run)
    run.target.rollback()
    plan = open_snapshots(run).plan
    sizes = measure(run.source, run.target, plan.tables)
    if not may_be_divided(run.options, sizes.values()):
        raise why.adding(NOT_EMPTY)
    tuning = run.tuning
    part = tuning.part_seconds_of(concurrency)
    limits = Limits(part, tuning.whole_seconds or WHOLE * part, tuning.longest_part)
    try:
        return divide(run, plan, tuning.rates, limits, started)
    except ConfigurationError as error:
        raise OutOfTime(f"{why.message} {error.message}", error.reasons) from error
