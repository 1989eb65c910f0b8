"""Where in a VPC the Lambdas run that reach a database, and what they reach from there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aws_cdk import Acknowledgment, Stack, Validations, aws_ec2
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

    The VPC, its subnets and the functions' security groups are the user's own: nothing in
    them is changed, but for the endpoints that `vpc_endpoints` asks for.
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
    network = Network(vpc, subnets, groups)
    if settings.vpc_endpoints:
        Endpoints(
            scope,
            "Endpoints",
            network=network,
            services=_services(settings),
            route_table_ids=settings.route_table_ids,
        )
    return network


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
            reason="Nothing here looks at the subnets' routes: where an endpoint enters them, the"
            " settings name the route tables.",
        )
    )
    return vpc, vpc.private_subnets


def _look_up(
    scope: Construct, settings: Settings, vpc_id: str
) -> tuple[aws_ec2.IVpc, Sequence[aws_ec2.ISubnet]]:
    """Ask the account, which the CDK CLI does, and keeps the answer in cdk.context.json.

    Raises:
        SettingsError: the VPC has no such subnets.
    """
    vpc = aws_ec2.Vpc.from_lookup(scope, "Vpc", vpc_id=vpc_id)
    # Isolated are those without a NAT. Before the CLI has asked, CDK makes up a VPC with both.
    subnets = vpc.private_subnets if settings.has_nat else vpc.isolated_subnets
    if not subnets:
        kind = "a NAT" if settings.has_nat else "no NAT"
        raise SettingsError(
            f"vpc_lookup: {vpc_id} has no private subnets with {kind}: change has_nat, or name the"
            " subnets yourself."
        )
    return vpc, subnets


def _services(settings: Settings) -> Mapping[str, aws_ec2.InterfaceVpcEndpointAwsService]:
    """Return what the Lambdas ask beside S3: where secrets are, and who hands out roles."""
    known = aws_ec2.InterfaceVpcEndpointAwsService
    services = {}
    if settings.secret_arns:
        services["SecretsManager"] = known.SECRETS_MANAGER
    if settings.prod_database.role_arn or settings.staging_database.role_arn:
        services["Sts"] = known.STS
    return services


class Endpoints(Construct):
    """Ways to S3 and to interface endpoints for subnets that have no NAT."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        network: Network,
        services: Mapping[str, aws_ec2.InterfaceVpcEndpointAwsService],
        route_table_ids: Sequence[str],
    ) -> None:
        """Create the endpoints. They serve the whole VPC, so that their policies allow all.

        Args:
            scope: the parent.
            id_: the construct's id.
            network: who uses them: its security groups must let port 443 out.
            services: those with an interface endpoint, by the endpoint's id.
            route_table_ids: the tables that get a route to S3; none for those of a VPC that
                was looked up, whose subnets know them.
        """
        super().__init__(scope, id_)
        subnets = network.subnets
        if services:
            self._reach(services, network)
        tables = route_table_ids or sorted({entry.route_table.route_table_id for entry in subnets})
        aws_ec2.CfnVPCEndpoint(
            self,
            "S3",
            vpc_endpoint_type="Gateway",
            service_name=f"com.amazonaws.{Stack.of(self).region}.s3",
            vpc_id=network.vpc.vpc_id,
            route_table_ids=list(tables),
        )

    def _reach(
        self, services: Mapping[str, aws_ec2.InterfaceVpcEndpointAwsService], network: Network
    ) -> None:
        group = aws_ec2.SecurityGroup(
            self,
            "SecurityGroup",
            vpc=network.vpc,
            # A change of it would replace the group.
            description="Lets the Lambdas of staging-sync reach Secrets Manager",
            allow_all_outbound=False,
        )
        for lambdas in network.security_groups:
            peer = aws_ec2.Peer.security_group_id(lambdas.security_group_id)
            group.add_ingress_rule(peer, aws_ec2.Port.HTTPS, "HTTPS from the Lambdas")
        for id_, service in services.items():
            aws_ec2.InterfaceVpcEndpoint(
                self,
                id_,
                vpc=network.vpc,
                service=service,
                subnets=aws_ec2.SubnetSelection(subnets=_one_of_each_zone(network.subnets)),
                security_groups=[group],
                open=False,
            )


def _one_of_each_zone(subnets: Sequence[aws_ec2.ISubnet]) -> Sequence[aws_ec2.ISubnet]:
    """Return the first subnet of each zone: an interface endpoint takes no more."""
    first: dict[str, aws_ec2.ISubnet] = {}
    for subnet in subnets:
        first.setdefault(subnet.availability_zone, subnet)
    return list(first.values())
