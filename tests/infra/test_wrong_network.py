"""A network that contradicts itself, or cannot work, ends the synthesis with an error."""

from typing import Any

import pytest

from tests.infra.blocks import LOOKUP, NETWORK, begin_with, problems_of
from tests.infra.synthesized import MASK_KEY_SECRET, SECRETS

EMPTY: dict[str, Any] = {
    "vpc_id": None,
    "subnet_ids": [],
    "availability_zones": [],
    "security_group_ids": [],
}
WRONG: list[tuple[str, dict[str, Any], str]] = [
    (
        "a secret that no endpoint reaches",
        {**NETWORK, "has_nat": False},
        "prod_secret_arn is in eu-west-1, which a VPC endpoint in eu-central-1 does not reach:"
        " replicate the secret to eu-central-1",
    ),
    (
        "a stack away from its secrets",
        {
            **NETWORK,
            "availability_zones": ["eu-west-1a", "eu-west-1b"],
            "has_nat": False,
            "region": "eu-west-1",
        },
        "staging_secret_arn is in eu-central-1, which a VPC endpoint in eu-west-1 does not reach",
    ),
    (
        "a mask key that no endpoint reaches",
        {
            **NETWORK,
            "prod_secret_arn": SECRETS["prod_secret_arn"].replace("eu-west-1", "eu-central-1"),
            "mask_key_secret_arn": MASK_KEY_SECRET.replace("eu-central-1", "eu-west-1"),
            "has_nat": False,
        },
        "mask_key_secret_arn is in eu-west-1, which a VPC endpoint in eu-central-1 does not reach",
    ),
    ("endpoints nowhere", {"vpc_endpoints": True}, "vpc_endpoints is set without vpc_id"),
    ("a NAT nowhere", {"has_nat": True}, "has_nat is set without vpc_id"),
    (
        "an S3 endpoint that nobody's route leads to",
        {**NETWORK, "vpc_endpoints": True},
        "route_table_ids is missing",
    ),
    (
        "route tables for nothing",
        {**NETWORK, "route_table_ids": ["rtb-11111111"]},
        "route_table_ids is set without vpc_endpoints",
    ),
    *[
        (f"a lookup without {name}", {**LOOKUP, name: None}, f"{name} is missing: vpc_lookup")
        for name in ("vpc_id", "account", "region")
    ],
    (
        "a lookup without security groups",
        {**LOOKUP, "security_group_ids": []},
        "security_group_ids is missing: vpc_lookup",
    ),
    *[
        (f"a lookup beside {name}", {**LOOKUP, name: [value]}, f"{name} is set beside vpc_lookup")
        for name, value in {
            "subnet_ids": "subnet-11111111",
            "availability_zones": "eu-central-1a",
            "route_table_ids": "rtb-11111111",
        }.items()
    ],
    (
        "fewer zones than subnets",
        {**NETWORK, "availability_zones": ["eu-central-1a"]},
        "availability_zones",
    ),
    *[
        (f"a network without {name}", {**NETWORK, name: empty}, f"{name} is missing")
        for name, empty in EMPTY.items()
    ],
]


@pytest.mark.parametrize(
    ("settings", "sentence"), [case[1:] for case in WRONG], ids=[case[0] for case in WRONG]
)
def test_a_wrong_network_is_refused_by_name(settings: dict[str, Any], sentence: str) -> None:
    assert begin_with(problems_of({**SECRETS, **settings}), sentence)
