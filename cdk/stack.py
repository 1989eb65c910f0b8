"""staging-sync for one environment."""

from typing import Any

from aws_cdk import CfnOutput, Stack, Tags, aws_iam, aws_kms
from constructs import Construct

from alarms import Alarms
from config import Settings
from dashboard import Dashboard
from exchange import ExchangeBucket
from lambdas import Lambdas
from schedule import Schedule
from workflow import Workflow


class StagingSyncStack(Stack):
    """The bucket, Lambdas, workflow and dashboard; schedule and alarms where configured."""

    def __init__(self, scope: Construct, id_: str, *, settings: Settings, **stack: Any) -> None:
        """Wire the constructs.

        Args:
            scope: the app.
            id_: the stack's name.
            settings: the environment's settings.
            stack: what `Stack` itself takes.
        """
        super().__init__(
            scope,
            id_,
            description="Refreshes staging from production and re-links its Cognito users",
            termination_protection=settings.termination_protection,
            **stack,
        )
        # CDK writes down dependencies that CloudFormation could work out itself, and
        # cfn-lint calls each of them redundant (W3005). They do no harm.
        self.template_options.metadata = {"cfn-lint": {"config": {"ignore_checks": ["W3005"]}}}

        key = (
            aws_kms.Key.from_key_arn(self, "Key", settings.kms_key_arn)
            if settings.kms_key_arn
            else None
        )
        exchange = ExchangeBucket(self, "Exchange", retain=settings.retain_data, key=key)
        lambdas = Lambdas(self, "Lambdas", settings=settings, exchange=exchange, key=key)
        workflow = Workflow(self, "Workflow", lambdas=lambdas, settings=settings, key=key)
        schedule = None
        if settings.schedule_expression:
            schedule = Schedule(
                self,
                "Schedule",
                state_machine=workflow.state_machine,
                expression=settings.schedule_expression,
                settings=settings,
            )
        if settings.tells_somebody:
            Alarms(
                self,
                "Alarms",
                state_machine=workflow.state_machine,
                dead_letter_queue=schedule.dead_letter_queue if schedule else None,
                settings=settings,
                key=key,
            )
        Dashboard(self, "Dashboard", workflow=workflow)
        self._mark_everything(settings)

        CfnOutput(self, "StateMachineArn", value=workflow.state_machine.state_machine_arn)
        CfnOutput(self, "ExchangeBucketName", value=exchange.name)

    def _mark_everything(self, settings: Settings) -> None:
        """Put the tags and the permissions boundary on all that can carry them."""
        for name, value in settings.tags.items():
            Tags.of(self).add(name, value)
        if settings.permissions_boundary_arn:
            boundary = aws_iam.ManagedPolicy.from_managed_policy_arn(
                self, "Boundary", settings.permissions_boundary_arn
            )
            aws_iam.PermissionsBoundary.of(self).apply(boundary)
