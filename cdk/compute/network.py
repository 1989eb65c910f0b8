"""Where in a VPC the Lambdas run that connect to a database."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from aws_cdk import Acknowledgment, Validations, aws_ec2
from constructs import Construct

from cdk.settings.load import SettingsError
from cdk.settings.model import Settings


@dataclass(frozen=True, slots=True)
class Network:
    """Subnets and security groups for a function."""

    vpc: aws_ec2.IVpc
    subnets: Sequence[aws_ec2.ISubnet]
    security_groups: Sequence[aws_ec2.ISecurityGroup]

    @property
    def properties(self) -> dict[str, Any]:
        """What `aws_lambda.Function` takes of it."""
        return {
            "vpc": self.vpc,
            "vpc_subnets": aws_ec2.SubnetSelection(subnets=self.subnets),
            "security_groups": self.security_groups,
        }


def find_network(scope: Construct, settings: Settings) -> Network | None:
    """Return the network that the settings name, None if they name no VPC.

    The VPC, its subnets and the functions' security groups are the user's own: nothing is created
    or changed.
    """
    if settings.vpc_id is None:
        return None
    groups = [
        aws_ec2.SecurityGroup.from_security_group_id(
            scope, f"SecurityGroup{index}", group, mutable=False
        )
        for index, group in enumerate(settings.security_group_ids)
    ]
    vpc, subnets = (_look_up if settings.vpc_lookup else _import)(scope, settings, settings.vpc_id)
    return Network(vpc, subnets, groups)


def _import(
    scope: Construct, settings: Settings, vpc_id: str
) -> tuple[aws_ec2.IVpc, Sequence[aws_ec2.ISubnet]]:
    vpc = aws_ec2.Vpc.from_vpc_attributes(
        scope,
        "Vpc",
        vpc_id=vpc_id,
        availability_zones=list(settings.availability_zones),
        private_subnet_ids=list(settings.subnet_ids),
    )
    Validations.of(vpc).acknowledge(
        Acknowledgment(
            id="Annotation::@aws-cdk/aws-ec2:noSubnetRouteTableId",
            reason="Nothing here uses the subnets' route tables: for a gateway endpoint the"
            " settings name them.",
        )
    )
    return vpc, vpc.private_subnets


def _look_up(
    scope: Construct, settings: Settings, vpc_id: str
) -> tuple[aws_ec2.IVpc, Sequence[aws_ec2.ISubnet]]:
    """Have the CDK CLI look it up in the account; it keeps the answer in cdk.context.json.

    Raises:
        SettingsError: the VPC has no such subnets.
    """
    vpc = aws_ec2.Vpc.from_lookup(scope, "Vpc", vpc_id=vpc_id)
    # Isolated subnets have no NAT. Until the CLI has looked, CDK assumes a VPC that has both.
    subnets = vpc.private_subnets if settings.has_nat else vpc.isolated_subnets
    if not subnets:
        kind = "a NAT" if settings.has_nat else "no NAT"
        raise SettingsError(
            f"vpc_lookup: {vpc_id} has no private subnets with {kind}: change has_nat, or name the"
            " subnets yourself."
        )
    return vpc, subnets
