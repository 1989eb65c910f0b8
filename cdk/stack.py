"""staging-sync for one environment."""

from typing import Any

from aws_cdk import CfnOutput, Stack, Tags
from constructs import Construct

from cdk.settings.model import Settings
from cdk.staging_sync import UNNAMED, StagingSync


class StagingSyncStack(Stack):
    """A stack that contains staging-sync and nothing else."""

    def __init__(self, scope: Construct, id_: str, *, settings: Settings, **stack: Any) -> None:
        """Create what the settings configure.

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
        # CDK writes dependencies that CloudFormation could infer, and cfn-lint calls each of them
        # redundant (W3005). They do no harm.
        self.template_options.metadata = {"cfn-lint": {"config": {"ignore_checks": ["W3005"]}}}
        sync = StagingSync(self, UNNAMED, settings=settings)
        for name, value in settings.tags.items():
            Tags.of(self).add(name, value)  # of the stack itself too
        CfnOutput(self, "StateMachineArn", value=sync.state_machine.state_machine_arn)
        CfnOutput(self, "ExchangeBucketName", value=sync.bucket.bucket_name)
