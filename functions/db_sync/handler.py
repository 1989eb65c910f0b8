"""DbSync: refreshes the staging database from production, in one transaction or in parts."""

from contextlib import suppress
from dataclasses import replace
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from common.aws.databases import database_of
from common.aws.exchange import Exchange
from common.aws.mask_key import read_mask_key
from common.entry import entry_point
from common.errors import InvalidInput, StagingSyncError
from common.event import Event
from common.metrics import PHASES, Metric, emit
from common.postgres.deadline import Deadline
from common.postgres.waits import WAITS, Waits
from common.reports.failure import Failure
from common.reports.sync import REPORT, SyncResult
from db_sync.environment import DbSyncEnvironment
from db_sync.memory import granted, within
from db_sync.parts.finishing import SaveReport
from db_sync.parts.operations import Operations, PartsFolder
from db_sync.rules import SyncRules
from db_sync.run import SyncOptions


def sync(event: Event, context: LambdaContext, waits: Waits = WAITS) -> dict[str, Any]:
    """Sync, or do one of the operations of a sync in parts.

    A sync that is done writes its report to S3, emits metrics, and is answered with the output's
    `db_sync` object.
    """
    environment = DbSyncEnvironment.read()
    exchange = Exchange.of(environment.exchange_bucket, event.execution)

    def save_report(result: SyncResult) -> None:
        exchange.write_json(REPORT, result.report())

    exchange.check_reachable()
    try:
        options = _options(event, context, waits, environment)
        source = database_of(environment.production)
        target = database_of(environment.staging)
        if environment.mask_key_secret_arn:
            options = replace(options, mask_key=read_mask_key(environment.mask_key_secret_arn))
        operations = Operations(
            source, target, options, PartsFolder(exchange), environment.parts_concurrency
        )
        with within(granted()):
            found = _do(event, operations, save_report)
    except StagingSyncError as error:
        if event.rest.get("operation") in {None, "finish_sync"}:
            with suppress(StagingSyncError):  # the sync's error is the one that counts
                exchange.write_json(REPORT, Failure.of(error).report())
        raise
    if not isinstance(found, SyncResult):
        return found
    if not event.input.dry_run:
        emit(event.execution, _measure(found))
    return {**found.output(), "report": exchange.uri(REPORT)}


handler = entry_point(sync)


def _options(
    event: Event, context: LambdaContext, waits: Waits, environment: DbSyncEnvironment
) -> SyncOptions:
    """Return how to sync, without the key of the masks."""
    return SyncOptions(
        execution=event.execution,
        rules=SyncRules.parse(environment.read_rules()),
        dry_run=event.input.dry_run,
        deadline=Deadline.in_milliseconds(context.get_remaining_time_in_millis()),
        waits=waits,
        tuning=environment.read_tuning(),
        is_remapped=event.input.sync_cognito,
        in_parts=environment.in_parts,
    )


def _do(
    event: Event, operations: Operations, save_report: SaveReport
) -> SyncResult | dict[str, Any]:
    """Do the operation that the event names; without one, the sync.

    Raises:
        InvalidInput: there is no such operation.
    """
    match event.rest.get("operation"):
        case None:
            return operations.sync(save_report)
        case "keep_snapshot":
            return operations.keep_snapshot(event.rest.get("keeper"))
        case "sync_part":
            return operations.sync_part(event.rest.get("part"))
        case "finish_sync":
            return operations.finish_sync(event.rest.get("divided"), save_report)
        case _:
            raise InvalidInput(
                'The event\'s "operation" is none of DbSync. Start the state machine instead of'
                " invoking its Lambdas."
            )


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
