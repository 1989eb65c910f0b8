"""Lambda functions as all of ours are, so that each states only what sets it apart."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aws_cdk import Acknowledgment, Duration, Validations, aws_ec2, aws_iam, aws_lambda, aws_logs
from constructs import Construct

from layer import ROOT
from removal import removal_policy

TIMEOUT = Duration.minutes(15)  # the most that Lambda grants
MEMORY_MIB = 1024  # buys more than half a processor; a sync streams and needs far less memory
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

        Args:
            scope: the parent.
            id_: the construct's id.
            package: the package under functions/ whose handler.handler is run.
            description: what it does, for the console.
            layer: the dependencies.
            environment: variables beside those that every function has.
            network: the VPC to run in, if any.
            retain_logs: whether the logs outlive the stack.
        """
        super().__init__(scope, id_)
        log_group = aws_logs.LogGroup(
            self,
            "Logs",
            retention=aws_logs.RetentionDays.THREE_MONTHS,
            removal_policy=removal_policy(retain=retain_logs),
        )
        self.role = self._create_role(log_group, in_vpc=network is not None)
        self.function = aws_lambda.Function(
            self,
            "Function",
            description=description,
            code=aws_lambda.Code.from_asset(
                str(ROOT / "functions"), exclude=["**/__pycache__", "**/*.pyc"]
            ),
            handler=f"{package}.handler.handler",
            runtime=aws_lambda.Runtime.PYTHON_3_13,
            architecture=aws_lambda.Architecture.ARM_64,
            timeout=TIMEOUT,
            memory_size=MEMORY_MIB,
            tracing=aws_lambda.Tracing.ACTIVE,
            role=self.role,
            log_group=log_group,
            layers=[layer],
            environment={**POWERTOOLS, **environment},
            vpc=network.vpc if network else None,
            vpc_subnets=aws_ec2.SubnetSelection(subnets=network.vpc.private_subnets)
            if network
            else None,
            security_groups=network.security_groups if network else None,
        )
        Validations.of(self.function).acknowledge(
            Acknowledgment(
                id="AwsSolutions-L1",
                reason="The layer's compiled modules are for python3.13 and load in no other.",
            )
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
