"""The metrics that the Lambdas emit, and the dashboard shows.

They travel as lines of the log, in CloudWatch's embedded metric format. Their one dimension
is `service`, the stack's name. A dry run emits none: what it counts did not happen.
"""

from collections.abc import Mapping
from enum import StrEnum

from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

from common.log import SERVICE

NAMESPACE = "StagingSync"
DIMENSION = "service"  # the name that Powertools gives it


class Metric(StrEnum):
    """A metric's name; a number of seconds ends in "Seconds", all others are counts."""

    ROWS_INSERTED = "RowsInserted"
    ROWS_UPDATED = "RowsUpdated"
    ROWS_DELETED = "RowsDeleted"
    TABLES_CHANGED = "TablesChanged"
    SYNC_SECONDS = "SyncSeconds"
    COMPARE_SECONDS = "CompareSeconds"
    FETCH_SECONDS = "FetchSeconds"
    MERGE_SECONDS = "MergeSeconds"
    COPY_SECONDS = "CopySeconds"
    INDEX_SECONDS = "IndexSeconds"
    VERIFY_SECONDS = "VerifySeconds"
    USERS_UPDATED = "UsersUpdated"
    USERS_UNCHANGED = "UsersUnchanged"
    USERS_SKIPPED_NO_COGNITO_USER = "UsersSkippedNoCognitoUser"
    USERS_SKIPPED_NO_DB_USER = "UsersSkippedNoDbUser"
    USERS_SKIPPED_AMBIGUOUS = "UsersSkippedAmbiguous"
    USERS_UNLINKED = "UsersUnlinked"
    USERS_MISMATCHED = "UsersMismatched"
    USERS_UNVERIFIED_EMAIL = "UsersUnverifiedEmail"

    @property
    def unit(self) -> MetricUnit:
        """What it is measured in."""
        return MetricUnit.Seconds if self.endswith("Seconds") else MetricUnit.Count


# What a sync does to one table at a time; its seconds are added up over all tables.
PHASES: Mapping[str, Metric] = {
    "compare": Metric.COMPARE_SECONDS,
    "fetch": Metric.FETCH_SECONDS,
    "merge": Metric.MERGE_SECONDS,
    "copy": Metric.COPY_SECONDS,
    "index": Metric.INDEX_SECONDS,
    "verify": Metric.VERIFY_SECONDS,
}


def emit(execution: str, values: Mapping[Metric, float]) -> None:
    """Write metrics to standard output as one line, which names the execution too."""
    metrics = EphemeralMetrics(namespace=NAMESPACE, service=SERVICE)
    metrics.add_metadata("execution", execution)
    for metric, value in values.items():
        metrics.add_metric(metric, metric.unit, value)
    metrics.flush_metrics()
