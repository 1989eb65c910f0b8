"""Lambda functions as all of ours are, so that each states only what sets it apart."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aws_cdk import Acknowledgment, Duration, Validations, aws_ec2, aws_iam, aws_lambda, aws_logs
from constructs import Construct

from layer import ROOT
from removal import removal_policy

DEFAULTS: dict[str, Any] = {
    "runtime": aws_lambda.Runtime.PYTHON_3_13,
    "architecture": aws_lambda.Architecture.ARM_64,
    "timeout": Duration.minutes(15),  # the most that Lambda grants
    "memory_size": 1024,  # MiB; it buys processor time, a sync itself needs far less memory
    "tracing": aws_lambda.Tracing.ACTIVE,
}
POWERTOOLS = {"POWERTOOLS_SERVICE_NAME": "staging-sync", "POWERTOOLS_LOG_LEVEL": "INFO"}
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
class Network:
    """Where in a VPC a function runs."""

    vpc: aws_ec2.IVpc
    security_groups: Sequence[aws_ec2.ISecurityGroup]

    @property
    def properties(self) -> dict[str, Any]:
        """What `aws_lambda.Function` takes of it."""
        return {
            "vpc": self.vpc,
            "vpc_subnets": aws_ec2.SubnetSelection(subnets=self.vpc.private_subnets),
            "security_groups": self.security_groups,
        }


class PythonFunction(Construct):
    """One package of functions/ as a Lambda, whose role may log, trace and nothing else yet."""

    def __init__(  # noqa: PLR0913 - a construct's properties, all of them by keyword
        self,
        scope: Construct,
        id_: str,
        *,
        package: str,
        description: str,
        layer: aws_lambda.ILayerVersion,
        environment: Mapping[str, str],
        network: Network | None,
        retain_logs: bool,
    ) -> None:
        """Create the function, its role and its log group.

        The package's handler.handler is run, with `environment` beside the variables that
        every function has, and in the VPC if there is a `network`.
        """
        super().__init__(scope, id_)
        log_group = self._create_log_group(retain=retain_logs)
        self.role = self._create_role(log_group, in_vpc=network is not None)
        self.function = aws_lambda.Function(
            self,
            "Function",
            **DEFAULTS,
            description=description,
            code=aws_lambda.Code.from_asset(
                str(ROOT / "functions"), exclude=["**/__pycache__", "**/*.pyc"]
            ),
            handler=f"{package}.handler.handler",
            role=self.role,
            log_group=log_group,
            layers=[layer],
            environment={**POWERTOOLS, **environment},
            **(network.properties if network else {}),
        )
        _accept_runtime(self.function)

    def _create_log_group(self, *, retain: bool) -> aws_logs.LogGroup:
        return aws_logs.LogGroup(
            self,
            "Logs",
            retention=aws_logs.RetentionDays.THREE_MONTHS,  # as long as executions are kept
            removal_policy=removal_policy(retain=retain),
        )

    def _create_role(self, log_group: aws_logs.ILogGroup, *, in_vpc: bool) -> aws_iam.Role:
        """Create the role here, for the one that CDK makes may write to every log group."""
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
                reason="X-Ray's actions know no resources, and Lambda attaches functions to a VPC"
                " only by a role that may do so for interfaces whose names nobody knows yet.",
            )
        )
        return role


def _accept_runtime(function: aws_lambda.Function) -> None:
    Validations.of(function).acknowledge(
        Acknowledgment(
            id="AwsSolutions-L1",
            reason="The layer's compiled modules are for python3.13 and load in no other.",
        )
    )
