"""DbSync: refreshes the staging database from production."""

from contextlib import suppress
from dataclasses import replace
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from common.aws.databases import database_of
from common.aws.exchange import Exchange
from common.aws.mask_key import read_mask_key
from common.entry import entry_point
from common.errors import StagingSyncError
from common.event import Event
from common.metrics import PHASES, Metric, emit
from common.postgres.deadline import Deadline
from common.postgres.waits import WAITS, Waits
from db_sync.environment import DbSyncEnvironment
from db_sync.memory import granted, within
from db_sync.result import SyncResult, failure_report
from db_sync.rules import SyncRules
from db_sync.run import SyncOptions
from db_sync.sync import sync_database

REPORT = "db-sync.json"


def sync(event: Event, context: LambdaContext, waits: Waits = WAITS) -> dict[str, Any]:
    """Sync, write the report to S3, emit metrics, and return the output's `db_sync` object."""
    environment = DbSyncEnvironment.read()
    exchange = Exchange.of(environment.exchange_bucket, event.execution)
    options = SyncOptions(
        execution=event.execution,
        rules=SyncRules.parse(environment.read_rules()),
        dry_run=event.input.dry_run,
        deadline=Deadline.in_milliseconds(context.get_remaining_time_in_millis()),
        waits=waits,
        is_remapped=event.input.sync_cognito,
    )

    def save_report(result: SyncResult) -> None:
        exchange.write_json(REPORT, result.report())

    exchange.check_reachable()
    try:
        source = database_of(environment.production)
        target = database_of(environment.staging)
        if environment.mask_key_secret_arn:
            options = replace(options, mask_key=read_mask_key(environment.mask_key_secret_arn))
        with within(granted()):
            result = sync_database(source, target, options, save_report)
    except StagingSyncError as error:
        with suppress(StagingSyncError):  # the sync's error is the one that counts
            exchange.write_json(REPORT, failure_report(error))
        raise
    if not event.input.dry_run:
        emit(event.execution, _measure(result))
    return {**result.output(), "report": exchange.uri(REPORT)}


handler = entry_point(sync)


def _measure(result: SyncResult) -> dict[Metric, float]:
    """Return what a sync did and took, as metrics."""
    output = result.output()
    seconds = {
        metric: round(sum(table.seconds.get(phase, 0.0) for table in result.tables), 3)
        for phase, metric in PHASES.items()
    }
    return {
        Metric.ROWS_INSERTED: output["rows_inserted"],
        Metric.ROWS_UPDATED: output["rows_updated"],
        Metric.ROWS_DELETED: output["rows_deleted"],
        Metric.TABLES_CHANGED: output["tables_changed"],
        Metric.SYNC_SECONDS: result.duration_seconds,
        **seconds,
    }
