"""What all our Lambda functions have in common, so that each states only what differs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from aws_cdk import (
    Acknowledgment,
    Duration,
    Size,
    Validations,
    aws_iam,
    aws_kms,
    aws_lambda,
    aws_logs,
)
from constructs import Construct

from cdk.compute.dependencies import ROOT
from cdk.compute.network import Network
from cdk.logs import create_log_group
from cdk.settings.model import Settings
from common.settings import LambdaEnvironment

DEFAULTS: dict[str, Any] = {
    "runtime": aws_lambda.Runtime.PYTHON_3_13,
    "architecture": aws_lambda.Architecture.ARM_64,
    "tracing": aws_lambda.Tracing.ACTIVE,
    "logging_format": aws_lambda.LoggingFormat.JSON,  # of the platform's lines too
}
# What Lambda itself needs to attach a function to a VPC.
NETWORK_ACTIONS = [
    "ec2:CreateNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:DeleteNetworkInterface",
    "ec2:AssignPrivateIpAddresses",
    "ec2:UnassignPrivateIpAddresses",
]


@dataclass(frozen=True, slots=True)
class Limits:
    """What a function may use; its disk is Lambda's own 512 MB by default."""

    memory_mb: int
    seconds: int
    disk_mb: int | None = None


class PythonFunction(Construct):
    """One package of functions/ as a Lambda, whose role may only write logs and traces so far."""

    def __init__(  # noqa: PLR0913 - a construct's properties, all of them by keyword
        self,
        scope: Construct,
        id_: str,
        *,
        name: str,
        package: str,
        description: str,
        settings: Settings,
        limits: Limits,
        key: aws_kms.IKey | None,
        layers: Sequence[aws_lambda.ILayerVersion],
        environment: LambdaEnvironment,
        network: Network | None,
    ) -> None:
        """Create the function, its role and its log group.

        Args:
            scope: the parent.
            id_: the construct's id.
            name: the value of the metrics' dimension.
            package: the package, whose handler.handler is run.
            description: the function's.
            settings: log retention.
            limits: what it may use.
            key: a customer managed key for the log.
            layers: the function's.
            environment: the variables besides those that every function has.
            network: where it runs; without one outside a VPC.
        """
        super().__init__(scope, id_)
        log_group = create_log_group(self, settings=settings, key=key)
        self.role = self._create_role(log_group, in_vpc=network is not None)
        self.function = aws_lambda.Function(
            self,
            "Function",
            **DEFAULTS,
            timeout=Duration.seconds(limits.seconds),
            memory_size=limits.memory_mb,
            ephemeral_storage_size=Size.mebibytes(limits.disk_mb) if limits.disk_mb else None,
            description=description,
            code=aws_lambda.Code.from_asset(
                str(ROOT / "functions"), exclude=["**/__pycache__", "**/*.pyc"]
            ),
            handler=f"{package}.handler.handler",
            role=self.role,
            log_group=log_group,
            layers=list(layers),
            environment={
                "POWERTOOLS_SERVICE_NAME": name,  # the metrics' dimension
                "POWERTOOLS_LOG_LEVEL": "INFO",
                **environment.variables(),
            },
            **(network.properties if network else {}),
        )
        _accept_runtime(self.function)

    def _create_role(self, log_group: aws_logs.ILogGroup, *, in_vpc: bool) -> aws_iam.Role:
        """Create the role here, since the one that CDK creates may write to every log group."""
        role = aws_iam.Role(
            self, "Role", assumed_by=aws_iam.ServicePrincipal("lambda.amazonaws.com")
        )
        role.add_to_policy(
            aws_iam.PolicyStatement(
                actions=["logs:CreateLogStream", "logs:PutLogEvents"],
                resources=[log_group.log_group_arn],
            )
        )
        if in_vpc:
            role.add_to_policy(aws_iam.PolicyStatement(actions=NETWORK_ACTIONS, resources=["*"]))
        Validations.of(role).acknowledge(
            Acknowledgment(
                id="AwsSolutions-IAM5[Resource::*]",
                reason="X-Ray's actions support no resource-level permissions, and the network"
                " interfaces that Lambda creates in a VPC have no names before they exist.",
            )
        )
        return role


def _accept_runtime(function: aws_lambda.Function) -> None:
    Validations.of(function).acknowledge(
        Acknowledgment(
            id="AwsSolutions-L1",
            reason="The layer's compiled modules are for python3.13 and load in no other version.",
        )
    )
