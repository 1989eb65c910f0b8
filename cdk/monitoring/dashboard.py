"""The dashboard: when it last worked, how long it took, what changed, and who was left out."""

from collections.abc import Sequence

from aws_cdk import Duration, Stack, aws_cloudwatch
from aws_cdk.aws_cloudwatch import IMetric, IWidget
from constructs import Construct

from cdk.workflow import Workflow
from common.metrics import DIMENSION, NAMESPACE, PHASES, Metric

HALF, WHOLE, HEIGHT = 12, 24, 6
ROWS = (Metric.ROWS_INSERTED, Metric.ROWS_UPDATED, Metric.ROWS_DELETED)
LINKED = (Metric.USERS_UPDATED, Metric.USERS_UNCHANGED)
LEFT_OUT = (
    Metric.USERS_SKIPPED_NO_COGNITO_USER,
    Metric.USERS_SKIPPED_NO_DB_USER,
    Metric.USERS_SKIPPED_AMBIGUOUS,
    Metric.USERS_UNLINKED,
    Metric.USERS_MISMATCHED,
    Metric.USERS_UNVERIFIED_EMAIL,
)
DETAILS_OF_A_RUN = "parse execution_arn /:(?<execution>[^:]+)$/"


class Dashboard(Construct):
    """A page of CloudWatch, named after the workflow and its Region."""

    def __init__(
        self, scope: Construct, id_: str, *, name: str, workflow: Workflow, latest_page: str
    ) -> None:
        """Create the dashboard of a workflow.

        Args:
            scope: the parent.
            id_: the construct's id.
            name: the value of the metrics' dimension.
            workflow: the workflow.
            latest_page: the address of the last execution's page in the console.
        """
        super().__init__(scope, id_)
        self._name = name
        self._workflow = workflow
        aws_cloudwatch.Dashboard(
            self,
            "Dashboard",
            # The dashboards of all Regions are in one list.
            dashboard_name=f"{name}-{Stack.of(self).region}",
            default_interval=Duration.days(14),
            widgets=[
                [_link(latest_page)],
                [self._last_successes(), self._last_failures()],
                [self._outcomes(), self._durations()],
                [self._phases(), self._changes()],
                [self._people("How many people have their sub", LINKED)],
                [self._people("How many people were left out, or need a look", LEFT_OUT)],
            ],
        )

    def _last_successes(self) -> IWidget:
        return self._query(
            "When did it last work",
            'filter type = "ExecutionSucceeded"',
            "display @timestamp, execution",
        )

    def _last_failures(self) -> IWidget:
        return self._query(
            "What failed last",
            'filter type in ["ExecutionFailed", "ExecutionTimedOut", "ExecutionAborted"]',
            "display @timestamp, type, details.error, execution",
        )

    def _query(self, title: str, chosen: str, shown: str) -> IWidget:
        return aws_cloudwatch.LogQueryWidget(
            title=title,
            log_group_names=[self._workflow.log_group.log_group_name],
            view=aws_cloudwatch.LogQueryVisualizationType.TABLE,
            query_lines=[chosen, DETAILS_OF_A_RUN, "sort @timestamp desc", "limit 5", shown],
            width=HALF,
            height=HEIGHT,
        )

    def _outcomes(self) -> IWidget:
        machine, period = self._workflow.state_machine, Duration.hours(1)
        outcomes = {
            "succeeded": machine.metric_succeeded(period=period),
            "failed": machine.metric_failed(period=period),
            "timed out": machine.metric_timed_out(period=period),
            "aborted": machine.metric_aborted(period=period),
        }
        return _graph(
            "How did executions end",
            [metric.with_(label=label, statistic="Sum") for label, metric in outcomes.items()],
        )

    def _durations(self) -> IWidget:
        took = self._workflow.state_machine.metric_time(
            period=Duration.hours(1), statistic="Maximum"
        )
        execution = aws_cloudwatch.MathExpression(
            expression="milliseconds / 1000",
            using_metrics={"milliseconds": took},
            label="the whole execution",
            period=Duration.hours(1),
        )
        return _graph(
            "How long did it take, in seconds",
            [execution, self._metric(Metric.SYNC_SECONDS, label="the sync")],
        )

    def _phases(self) -> IWidget:
        return _graph(
            "What a sync spent its time on, in seconds",
            [self._metric(metric, label=phase) for phase, metric in PHASES.items()],
            stacked=True,
        )

    def _changes(self) -> IWidget:
        return aws_cloudwatch.GraphWidget(
            title="How much changed",
            left=[self._metric(metric) for metric in ROWS],
            right=[self._metric(Metric.TABLES_CHANGED)],
            left_y_axis=_axis("rows"),
            right_y_axis=_axis("tables"),
            width=HALF,
            height=HEIGHT,
        )

    def _people(self, title: str, metrics: Sequence[Metric]) -> IWidget:
        """Show the latest numbers: sums over several runs would say nothing."""
        return aws_cloudwatch.SingleValueWidget(
            title=title,
            metrics=[self._metric(metric) for metric in metrics],
            sparkline=True,
            width=WHOLE,
            height=4,
        )

    def _metric(self, metric: Metric, *, label: str | None = None) -> aws_cloudwatch.Metric:
        """Return a metric that the Lambdas emit; of several runs in an hour the highest value."""
        return aws_cloudwatch.Metric(
            namespace=NAMESPACE,
            metric_name=metric,
            dimensions_map={DIMENSION: self._name},
            statistic="Maximum",
            period=Duration.hours(1),
            label=label,
        )


def _link(latest_page: str) -> IWidget:
    return aws_cloudwatch.TextWidget(
        markdown=f"[**The report of the last execution**]({latest_page}): whether it worked, what"
        " changed and what needs attention. *Open* shows it.",
        width=WHOLE,
        height=1,
        background=aws_cloudwatch.TextWidgetBackground.TRANSPARENT,
    )


def _graph(title: str, metrics: Sequence[IMetric], *, stacked: bool = False) -> IWidget:
    return aws_cloudwatch.GraphWidget(
        title=title,
        left=list(metrics),
        left_y_axis=_axis(),
        stacked=stacked,
        width=HALF,
        height=HEIGHT,
    )


def _axis(label: str | None = None) -> aws_cloudwatch.YAxisProps:
    return aws_cloudwatch.YAxisProps(min=0, label=label, show_units=False)
