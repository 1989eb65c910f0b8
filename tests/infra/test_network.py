"""The network of the Lambdas that connect to a database, and the endpoints that they may need."""

import json
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App

from cdk.app import add_stack
from cdk.settings.load import SettingsError
from tests.infra.synthesized import SECRETS, Synthesized, synthesize

# What the CDK CLI writes into cdk.context.json once it has asked the account.
LOOKED_UP: dict[str, Any] = {
    "vpc-provider:account=111122223333:filter.vpc-id=vpc-11111111:region=eu-west-1"
    ":returnAsymmetricSubnets=true": {
        "vpcId": "vpc-11111111",
        "vpcCidrBlock": "10.0.0.0/16",
        "ownerAccountId": "111122223333",
        "availabilityZones": [],
        "subnetGroups": [
            {
                "name": kind,
                "type": kind,
                "subnets": [
                    {
                        "subnetId": f"subnet-{kind}-{zone}",
                        "cidr": "10.0.0.0/24",
                        "availabilityZone": f"eu-west-1{zone}",
                        "routeTableId": f"rtb-{kind}",
                    }
                    for zone in "ab"
                ],
            }
            for kind in ("Public", "Private", "Isolated")
        ],
    }
}
LOOKUP: dict[str, Any] = {
    **SECRETS,
    "staging_secret_arn": SECRETS["staging_secret_arn"].replace("eu-central-1", "eu-west-1"),
    "account": "111122223333",
    "region": "eu-west-1",
    "vpc_id": "vpc-11111111",
    "vpc_lookup": True,
    "security_group_ids": ["sg-11111111"],
}


def endpoints(stack: Synthesized) -> dict[str, dict[str, Any]]:
    """Return the endpoints by their service."""
    return {
        endpoint["ServiceName"].rpartition(".")[2]: endpoint
        for endpoint in stack.resources("AWS::EC2::VPCEndpoint")
    }


def test_a_gateway_leads_from_the_route_tables_to_s3(everything: Synthesized) -> None:
    s3 = endpoints(everything)["s3"]
    assert s3["VpcEndpointType"] == "Gateway"
    assert s3["ServiceName"] == "com.amazonaws.eu-central-1.s3"
    assert s3["VpcId"] == "vpc-11112222333344445"
    assert s3["RouteTableIds"] == ["rtb-11112222333344445"]


def test_an_interface_in_the_subnets_leads_to_secrets_manager(everything: Synthesized) -> None:
    secrets = endpoints(everything)["secretsmanager"]
    assert secrets["VpcEndpointType"] == "Interface"
    assert secrets["PrivateDnsEnabled"] is True  # the SDK resolves the service's public name
    assert secrets["SubnetIds"] == ["subnet-11112222333344445", "subnet-55556666777788889"]
    (group,) = secrets["SecurityGroupIds"]
    assert everything.text(group) == "<Lambdas/Endpoints/SecurityGroup.GroupId>"


def test_only_the_lambdas_own_groups_may_connect_to_the_interface(everything: Synthesized) -> None:
    (rule,) = everything.only("AWS::EC2::SecurityGroup")["SecurityGroupIngress"]
    assert (rule["IpProtocol"], rule["FromPort"], rule["ToPort"]) == ("tcp", 443, 443)
    assert rule["SourceSecurityGroupId"] == "sg-11112222333344445"
    assert everything.resources("AWS::EC2::SecurityGroupIngress") == []


def test_two_subnets_of_one_zone_get_one_interface(tmp_path: Path, empty_layer: Path) -> None:
    settings = {
        **LOOKUP,
        "layer_dir": str(empty_layer),
        "vpc_lookup": False,
        "vpc_endpoints": True,
        "subnet_ids": ["subnet-11111111", "subnet-22222222", "subnet-33333333"],
        "availability_zones": ["eu-west-1a", "eu-west-1a", "eu-west-1b"],
        "route_table_ids": ["rtb-11111111"],
    }
    stack = synthesize(tmp_path / "out", settings)
    assert endpoints(stack)["secretsmanager"]["SubnetIds"] == ["subnet-11111111", "subnet-33333333"]
    assert stack.function("db_sync")["VpcConfig"]["SubnetIds"] == settings["subnet_ids"]


def test_of_a_vpc_that_was_looked_up_the_subnets_without_nat_are_used(
    tmp_path: Path, empty_layer: Path
) -> None:
    settings = {**LOOKUP, "layer_dir": str(empty_layer), "vpc_endpoints": True}
    stack = synthesize(tmp_path / "out", settings, LOOKED_UP)
    subnets = ["subnet-Isolated-a", "subnet-Isolated-b"]
    for package in ("db_sync", "update_db"):
        assert stack.function(package)["VpcConfig"] == {
            "SubnetIds": subnets,
            "SecurityGroupIds": ["sg-11111111"],
        }
    assert endpoints(stack)["s3"]["RouteTableIds"] == ["rtb-Isolated"]
    assert endpoints(stack)["secretsmanager"]["SubnetIds"] == subnets


def test_of_a_vpc_that_was_looked_up_the_subnets_with_nat_are_used_if_that_is_set(
    tmp_path: Path, empty_layer: Path
) -> None:
    settings = {**LOOKUP, "layer_dir": str(empty_layer), "has_nat": True}
    stack = synthesize(tmp_path / "out", settings, LOOKED_UP)
    network = stack.function("db_sync")["VpcConfig"]
    assert network["SubnetIds"] == ["subnet-Private-a", "subnet-Private-b"]
    assert endpoints(stack) == {}


def test_a_vpc_that_was_not_looked_up_yet_is_requested_from_the_cli(
    tmp_path: Path, empty_layer: Path
) -> None:
    settings = {**LOOKUP, "layer_dir": str(empty_layer)}
    app = App(
        outdir=str(tmp_path / "out"),
        context={
            "environments": {"staging": settings},
            "@aws-cdk/core:validationReportPrettyPrint": False,
        },
    )
    add_stack(app)
    app.synth()
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert {question["key"] for question in manifest["missing"]} == LOOKED_UP.keys()


def test_a_vpc_without_such_subnets_ends_the_synthesis_with_an_error(
    tmp_path: Path, empty_layer: Path
) -> None:
    ((key, found),) = LOOKED_UP.items()
    public = {**found, "subnetGroups": found["subnetGroups"][:1]}
    for has_nat, kind in ((True, "a NAT"), (False, "no NAT")):
        settings = {**LOOKUP, "layer_dir": str(empty_layer), "has_nat": has_nat}
        with pytest.raises(
            SettingsError, match=f"^vpc_lookup: vpc-11111111 has no .*subnets.* with {kind}"
        ):
            synthesize(tmp_path / kind, settings, {key: public})
