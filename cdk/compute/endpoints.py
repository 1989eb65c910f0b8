"""The VPC endpoints by which the Lambdas reach AWS's services without a NAT."""

from collections.abc import Mapping, Sequence

from aws_cdk import Stack, aws_ec2
from constructs import Construct

from cdk.compute.network import Network
from cdk.settings.model import Settings


class Endpoints(Construct):
    """A gateway endpoint for S3 and interface endpoints, for subnets that have no NAT."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        network: Network,
        settings: Settings,
    ) -> None:
        """Create the endpoints. They serve all of the VPC, so that their policies allow everything.

        Args:
            scope: the parent.
            id_: the construct's id.
            network: who uses them: its security groups must allow outbound traffic to port 443.
            settings: which services the Lambdas call, and the route tables that get a route to S3;
                the subnets of a VPC that was looked up know their own.
        """
        super().__init__(scope, id_)
        if services := _services(settings):
            self._create_interfaces(services, network)
        tables = settings.route_table_ids or sorted(
            {subnet.route_table.route_table_id for subnet in network.subnets}
        )
        aws_ec2.CfnVPCEndpoint(
            self,
            "S3",
            vpc_endpoint_type="Gateway",
            service_name=f"com.amazonaws.{Stack.of(self).region}.s3",
            vpc_id=network.vpc.vpc_id,
            route_table_ids=list(tables),
        )

    def _create_interfaces(
        self, services: Mapping[str, aws_ec2.InterfaceVpcEndpointAwsService], network: Network
    ) -> None:
        group = aws_ec2.SecurityGroup(
            self,
            "SecurityGroup",
            vpc=network.vpc,
            # Another description would replace the group.
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


def _services(settings: Settings) -> Mapping[str, aws_ec2.InterfaceVpcEndpointAwsService]:
    """Return the services that the Lambdas call besides S3, by the endpoint's id."""
    known = aws_ec2.InterfaceVpcEndpointAwsService
    services = {}
    if settings.all_secret_arns:
        services["SecretsManager"] = known.SECRETS_MANAGER
    if settings.prod_database.role_arn or settings.staging_database.role_arn:
        services["Sts"] = known.STS
    return services


def _one_of_each_zone(subnets: Sequence[aws_ec2.ISubnet]) -> Sequence[aws_ec2.ISubnet]:
    """Return the first subnet of each zone: an interface endpoint takes one for each zone."""
    first: dict[str, aws_ec2.ISubnet] = {}
    for subnet in subnets:
        first.setdefault(subnet.availability_zone, subnet)
    return list(first.values())
