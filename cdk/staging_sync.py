"""staging-sync as a construct: all that one environment needs, for any stack."""

from aws_cdk import Aws, Stack, Tags, aws_iam, aws_kms, aws_s3
from aws_cdk import aws_stepfunctions as stepfunctions
from constructs import Construct

from cdk.compute.lambdas import Lambdas
from cdk.exchange import ExchangeBucket
from cdk.monitoring.alarms import Alarms
from cdk.monitoring.dashboard import Dashboard
from cdk.report_page import ReportPage
from cdk.schedule import Schedule
from cdk.settings.arns import console_of_file
from cdk.settings.model import Settings
from cdk.workflow import Workflow
from write_report.history import LATEST

# CDK leaves this id out of the resources' logical ids.
UNNAMED = "Default"


class StagingSync(Construct):
    """The bucket, Lambdas, workflow and dashboard; schedule and alarms if configured.

    `state_machine` and `bucket` are for the stack's outputs, or to grant others access.
    """

    def __init__(self, scope: Construct, id_: str, *, settings: Settings) -> None:
        """Wire the constructs.

        Args:
            scope: the stack, or a construct in it.
            id_: the construct's id. The state machine, the dashboard and the metrics' dimension
                are named after the stack and this id; after the stack alone if it is "Default".
            settings: the environment's settings, as `cdk.settings.load.parse_settings` returns
                them.
        """
        super().__init__(scope, id_)
        stack = Stack.of(self).stack_name
        self.name = stack if id_ == UNNAMED else f"{stack}-{id_}"
        key = (
            aws_kms.Key.from_key_arn(self, "Key", settings.kms_key_arn)
            if settings.kms_key_arn
            else None
        )
        exchange = ExchangeBucket(self, "Exchange", retain=settings.retain_data, key=key)
        lambdas = Lambdas(
            self, "Lambdas", name=self.name, settings=settings, exchange=exchange, key=key
        )
        workflow = Workflow(
            self,
            "Workflow",
            name=self.name,
            lambdas=lambdas,
            exchange=exchange,
            settings=settings,
            key=key,
        )
        self.state_machine: stepfunctions.StateMachine = workflow.state_machine
        self.bucket: aws_s3.Bucket = exchange.bucket
        ReportPage(
            self,
            "ReportPage",
            state_machine=workflow.state_machine,
            function=lambdas.write_report.function,
        )
        self._monitor(workflow, lambdas, settings, key)
        self._apply_to_all(settings)

    def _monitor(
        self, workflow: Workflow, lambdas: Lambdas, settings: Settings, key: aws_kms.IKey | None
    ) -> None:
        """Create the schedule and the alarms, if they are configured, and the dashboard."""
        schedule = None
        if settings.schedule_expression:
            schedule = Schedule(
                self,
                "Schedule",
                state_machine=self.state_machine,
                expression=settings.schedule_expression,
                settings=settings,
            )
        if settings.reports_failures:
            Alarms(
                self,
                "Alarms",
                name=self.name,
                state_machine=self.state_machine,
                write_report=lambdas.write_report.function,
                bucket=self.bucket,
                dead_letter_queue=schedule.dead_letter_queue if schedule else None,
                settings=settings,
                key=key,
            )
        Dashboard(
            self,
            "Dashboard",
            name=self.name,
            workflow=workflow,
            latest_page=console_of_file(
                Aws.REGION, settings.partition, self.bucket.bucket_name, LATEST
            ),
        )

    def _apply_to_all(self, settings: Settings) -> None:
        """Put the tags and the permissions boundary on every resource that takes them."""
        for name, value in settings.tags.items():
            Tags.of(self).add(name, value)
        if settings.permissions_boundary_arn:
            boundary = aws_iam.ManagedPolicy.from_managed_policy_arn(
                self, "Boundary", settings.permissions_boundary_arn
            )
            aws_iam.PermissionsBoundary.of(self).apply(boundary)
