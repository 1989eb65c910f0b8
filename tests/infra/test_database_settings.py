"""Databases whose secret contains no address, and databases that need no secret."""

import json
from pathlib import Path
from typing import Any

import pytest

from cdk.settings.load import parse_settings
from tests.infra.blocks import begin_with, problems_of
from tests.infra.synthesized import (
    MASK_KEY_SECRET,
    PRODUCTION_BY_IAM,
    SECRETS,
    STAGING_BY_IAM,
    Synthesized,
    settings_by_iam,
    synthesize,
)
from tests.infra.test_permissions import permissions_by_role

CONNECT = "arn:aws:rds-db:eu-central-1:111122223333:dbuser:cluster-ABCDEFGHIJKL/staging_sync_writer"


@pytest.fixture
def iam(tmp_path: Path) -> dict[str, Any]:
    """Settings without a secret: production is in another account."""
    return settings_by_iam(tmp_path)


def test_what_the_settings_say_about_a_database_is_in_the_lambdas_variables(
    everything: Synthesized, bare: Synthesized
) -> None:
    variables = everything.variables("db_sync")
    assert json.loads(variables["PROD_DATABASE"]) == {
        "host": "prod.example.com",
        "port": "5433",
        "dbname": "shop",
    }
    assert json.loads(variables["STAGING_DATABASE"]) == {"dbname": "shop_staging"}
    assert everything.variables("update_db")["STAGING_DATABASE"] == variables["STAGING_DATABASE"]
    assert "PROD_DATABASE" not in everything.variables("update_db")
    assert "PROD_DATABASE" not in bare.variables("db_sync")


def test_without_secrets_each_role_may_connect_as_exactly_one_user_or_assume_one_role(
    by_iam: Synthesized,
) -> None:
    roles = permissions_by_role(by_iam)
    logins = {
        path: sorted(entry for entry in role if entry[0].split(":")[0] in {"rds-db", "sts"})
        for path, role in roles.items()
    }
    assert {path: login for path, login in logins.items() if login} == {
        "Lambdas/DbSync/Role": [
            ("rds-db:connect", CONNECT),
            ("sts:AssumeRole", PRODUCTION_BY_IAM["role_arn"]),
        ],
        "Lambdas/UpdateDb/Role": [("rds-db:connect", CONNECT)],
    }
    actions = {entry[0] for role in roles.values() for entry in role}
    assert "secretsmanager:GetSecretValue" not in actions


def test_the_lambdas_variables_have_the_region_of_the_endpoint_and_no_secret(
    by_iam: Synthesized,
) -> None:
    variables = by_iam.variables("db_sync")
    assert json.loads(variables["PROD_DATABASE"]) == {
        "auth": "iam",
        "host": PRODUCTION_BY_IAM["host"],
        "port": "5433",
        "dbname": "shop",
        "username": "staging_sync_reader",
        "role_arn": PRODUCTION_BY_IAM["role_arn"],
        "region": "eu-west-1",
    }
    assert json.loads(variables["STAGING_DATABASE"])["region"] == "eu-central-1"
    assert not [name for name in variables if "SECRET" in name]


def test_there_are_endpoints_for_the_services_that_are_used_and_no_others(
    tmp_path: Path, empty_layer: Path, iam: dict[str, Any]
) -> None:
    settings = {
        **iam,
        "layer_dir": str(empty_layer),
        "vpc_id": "vpc-11111111",
        "subnet_ids": ["subnet-11111111"],
        "availability_zones": ["eu-central-1a"],
        "security_group_ids": ["sg-11111111"],
        "vpc_endpoints": True,
        "route_table_ids": ["rtb-11111111"],
    }
    assert endpoints_of(tmp_path / "out", settings) == {"S3", "Sts"}
    with_key = {**settings, "mask_key_secret_arn": MASK_KEY_SECRET}
    assert endpoints_of(tmp_path / "with_key", with_key) == {"S3", "Sts", "SecretsManager"}


def endpoints_of(assembly: Path, settings: dict[str, Any]) -> set[str]:
    """Return the ids of the stack's endpoints."""
    endpoints = synthesize(assembly, settings).paths("AWS::EC2::VPCEndpoint")
    return {path.rpartition("/")[2] for path in endpoints}


def changed(iam: dict[str, Any], side: str, **fields: Any) -> dict[str, Any]:
    """Return the settings with some fields of a side's database changed; None removes one."""
    block = {**iam[side], **fields}
    return {**iam, side: {name: value for name, value in block.items() if value is not None}}


@pytest.mark.parametrize("field", ["host", "dbname", "username", "resource_id", "account"])
def test_what_a_login_by_iam_lacks_is_named(iam: dict[str, Any], field: str) -> None:
    refuses(changed(iam, "staging_database", **{field: None}), f"staging_database.{field} is")


def test_production_in_another_account_needs_a_role_of_that_account(iam: dict[str, Any]) -> None:
    without = changed(iam, "prod_database", role_arn=None)
    refuses(without, "prod_database.role_arn is missing: the database is in 444455556666")
    other = "arn:aws:iam::777788889999:role/reads"
    refuses(changed(iam, "prod_database", role_arn=other), "prod_database.role_arn is a role of an")


def test_the_stack_s_account_must_be_known(iam: dict[str, Any]) -> None:
    del iam["account"]
    refuses(iam, "account is missing: whether staging_database is in the stack's account")


def test_a_token_needs_a_server_that_proves_its_name(iam: dict[str, Any]) -> None:
    without = {name: value for name, value in iam.items() if name != "ca_bundle"}
    refuses(
        without,
        'ca_bundle is missing: "auth": "iam" of prod_database sends a token only to',
        'ca_bundle is missing: "auth": "iam" of staging_database sends a token only to',
    )
    alias = changed(iam, "staging_database", host="staging.example.com")
    refuses(alias, "staging_database.host must be RDS's own endpoint")


def test_a_secret_and_iam_exclude_each_other(iam: dict[str, Any]) -> None:
    both = {**iam, "staging_secret_arn": SECRETS["staging_secret_arn"]}
    refuses(both, 'staging_secret_arn is set beside "auth": "iam" of staging_database')


def test_what_only_iam_uses_is_not_set_beside_a_secret() -> None:
    settings = {**SECRETS, "prod_database": {"username": "someone"}}
    refuses(settings, 'prod_database.username is set, which only "auth": "iam" uses')


def test_production_and_staging_must_be_two_databases(iam: dict[str, Any]) -> None:
    same = {**iam, "prod_database": STAGING_BY_IAM}
    refuses(same, "staging_database is production's database too")


@pytest.mark.parametrize(
    ("block", "sentence"),
    [
        ({"host": "postgresql://u:p@h/d"}, "host must be a server's name"),
        ({"port": 0}, "port must be a whole number from 1 to 65535"),
        ({"dbname": "postgresql://u:p@h/d"}, "dbname must be a database's name"),
        ({"resource_id": "shop"}, "resource_id must be a resource ID: db-…, cluster-… or prx-…"),
        ({"username": "a*"}, "username must be a role's name"),
        ({"auth": "kerberos"}, "auth must be 'secret' or 'iam'"),
    ],
)
def test_each_malformed_field_is_named(block: dict[str, Any], sentence: str) -> None:
    refuses({**SECRETS, "prod_database": block}, f"prod_database.{sentence}")


def test_a_secret_that_rds_manages_is_accepted() -> None:
    arn = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:rds!db-0a1b2c3d-AbCdEf"
    settings = {
        **SECRETS,
        "staging_secret_arn": arn,
        "staging_database": {"host": "staging.example.com", "dbname": "shop_staging"},
    }
    assert parse_settings(settings, "staging").staging_secret_arn == arn


@pytest.mark.parametrize(
    ("host", "region"),
    [
        ("shop.c0ffee.us-gov-west-1.rds.amazonaws.com", "us-gov-west-1"),
        ("shop.c0ffee.rds.cn-north-1.amazonaws.com.cn", "cn-north-1"),
        ("shop.proxy-c0ffee.eu-central-1.rds.amazonaws.com", "eu-central-1"),
    ],
)
def test_the_region_is_read_from_rds_s_own_endpoint(
    iam: dict[str, Any], host: str, region: str
) -> None:
    settings = parse_settings(changed(iam, "prod_database", host=host), "staging")
    assert settings.prod_database.region == region


def refuses(settings: dict[str, Any], *sentences: str) -> None:
    """Check that the settings are refused with sentences that begin so, and with no other."""
    assert begin_with(problems_of(settings), *sentences)
