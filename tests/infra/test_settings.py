"""A wrong setting ends the synthesis with one sentence that names the field."""

import json
import os
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest

from config import Settings
from environment import SettingsError, choose_environment, parse_settings
from layer import build_layer
from tests.infra.synthesized import EXAMPLE, ROOT, SECRETS

NETWORK = {
    "vpc_id": "vpc-11111111",
    "subnet_ids": ["subnet-11111111", "subnet-22222222"],
    "availability_zones": ["eu-central-1a", "eu-central-1b"],
    "security_group_ids": ["sg-11111111"],
    "has_nat": True,
}
LOOKUP = {
    "account": "111122223333",
    "region": "eu-central-1",
    "vpc_id": "vpc-11111111",
    "vpc_lookup": True,
    "security_group_ids": ["sg-11111111"],
    "has_nat": True,
}
KEY = "arn:aws:kms:eu-central-1:111122223333:key/0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9"
TOPIC = "arn:aws:sns:eu-central-1:111122223333:alarms"
EMPTY: dict[str, Any] = {
    "vpc_id": None,
    "subnet_ids": [],
    "availability_zones": [],
    "security_group_ids": [],
}
WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("unknown", {"user_pool": "eu-central-1_Shop"}, "user_pool is not a setting"),
    ("unknown inside", {"sync_rules": {"exclud": []}}, "sync_rules.exclud is not a setting"),
    ("not a string", {"account": 111122223333}, "account must be a string"),
    ("not a boolean", {"require_verified_email": "true"}, "require_verified_email must be true or"),
    ("not a number", {"list_users_rps": "20"}, "list_users_rps must be a number"),
    ("a boolean for a number", {"list_users_rps": True}, "list_users_rps must be a number"),
    ("no requests", {"list_users_rps": 0}, "list_users_rps must be a number above 0 and up to 30"),
    ("more than Cognito grants", {"list_users_rps": 30.1}, "list_users_rps must be a number above"),
    ("no number at all", {"list_users_rps": float("nan")}, "list_users_rps must be a number above"),
    ("not a list", {**NETWORK, "subnet_ids": "subnet-11111111"}, "subnet_ids must be a list"),
    ("not a list of strings", {**NETWORK, "subnet_ids": [1]}, "subnet_ids[0] must be a string"),
    ("not an object", {"sync_rules": ["public.audit_log"]}, "sync_rules must be an object"),
    ("null", {"users_table": None}, "users_table must be a string"),
    ("no ARN", {"prod_secret_arn": "shop/prod"}, "prod_secret_arn must be the complete ARN"),
    (
        "a partial ARN",
        {"staging_secret_arn": "arn:aws:secretsmanager:eu-central-1:111122223333:secret:shop"},
        "staging_secret_arn must be the complete ARN",
    ),
    (
        "an ARN with an asterisk",
        {"prod_secret_arn": "arn:aws:secretsmanager:eu-central-1:111122223333:secret:*-AbCdEf"},
        "prod_secret_arn must be the complete ARN",
    ),
    (
        "one secret for both",
        {"staging_secret_arn": SECRETS["prod_secret_arn"]},
        "staging_secret_arn is production's secret too",
    ),
    ("no account's number", {"account": "1111"}, "account must be twelve digits"),
    ("no pool's ID", {"user_pool_id": "shop"}, "user_pool_id must be a user pool's ID"),
    (
        "a pool elsewhere",
        {"region": "eu-central-1", "user_pool_id": "us-east-1_Shop"},
        "user_pool_id lies in us-east-1",
    ),
    ("a table without schema", {"users_table": "users"}, "users_table must be a table with its"),
    ("an empty name", {"sub_column": ""}, "sub_column must be a column's name"),
    ("a column with its table", {"email_column": "users.email"}, "email_column must be a column's"),
    (
        "a column without table",
        {"sync_rules": {"keep": ["cognito_sub"]}},
        "sync_rules.keep[0] must be schema, table and column",
    ),
    *[
        (f"no expression, {expression}", {"schedule_expression": expression}, "schedule_expression")
        for expression in ("daily", "cron(0 3 * * *)", "rate(daily)", "rate(1 week)", "at(noon)")
    ],
    ("no time zone", {"schedule_timezone": "Berlin"}, "schedule_timezone is not a time zone"),
    (
        "an input that the workflow would refuse",
        {"schedule_input": {"sync_congito": True}},
        'schedule_input is not an execution\'s input: "sync_congito" is not a field',
    ),
    (
        "a schedule that would list a pool that is not there",
        {"schedule_expression": "rate(1 day)"},
        "schedule_input asks for Cognito, but user_pool_id is not set",
    ),
    ("no layer", {"layer_dir": "no/such/place"}, "layer_dir must be a directory that holds"),
    ("no VPC's ID", {**NETWORK, "vpc_id": "shop"}, "vpc_id must be a VPC's ID"),
    ("no Region", {"region": "Frankfurt"}, "region must be a Region, like eu-central-1"),
    ("an alias for a key", {"kms_key_arn": KEY.replace("key/", "alias/")}, "kms_key_arn must be"),
    ("a FIFO topic", {"alarm_topic_arn": f"{TOPIC}.fifo"}, "alarm_topic_arn must be the ARN of a"),
    ("a policy's name", {"permissions_boundary_arn": "Edge"}, "permissions_boundary_arn must be"),
    (
        "two addresses",
        {"alarm_email": "a@x.test, b@x.test"},
        "alarm_email must be one e-mail",
    ),
    (
        "both who is told and where",
        {"alarm_email": "a@shop.test", "alarm_topic_arn": TOPIC},
        "alarm_email and alarm_topic_arn are both set",
    ),
    (
        "a key elsewhere",
        {"region": "eu-west-1", "kms_key_arn": KEY},
        "kms_key_arn lies in eu-central-1; it must lie in the stack's eu-west-1",
    ),
    (
        "a topic elsewhere",
        {"region": "eu-west-1", "alarm_topic_arn": TOPIC},
        "alarm_topic_arn lies in eu-central-1",
    ),
    (
        "the key of no secret",
        {"secrets_kms_key_arns": [KEY, KEY.replace("eu-central-1", "us-east-1")]},
        "secrets_kms_key_arns[1] lies in us-east-1, where neither secret lies",
    ),
    ("more time than Lambda grants", {"timeout_seconds": 901}, "timeout_seconds must be a whole"),
    ("less time than a sync needs", {"timeout_seconds": 59}, "timeout_seconds must be a whole"),
    ("half a second", {"timeout_seconds": 90.5}, "timeout_seconds must be a whole number"),
    ("more memory than Lambda grants", {"memory_mb": 10241}, "memory_mb must be a whole number"),
    ("a retention that is not one", {"log_retention_days": 8}, "log_retention_days must be one of"),
    ("a tag of AWS's own", {"tags": {"aws:team": "shop"}}, "tags must be names and values"),
    ("a tag that is no string", {"tags": {"cost": 1}}, "tags.cost must be a string"),
    ("no window", {"schedule_window_minutes": 0}, "schedule_window_minutes must be a whole"),
    ("too many starts", {"schedule_retry_attempts": 186}, "schedule_retry_attempts must be a"),
    ("too late", {"schedule_retry_minutes": 1441}, "schedule_retry_minutes must be a whole"),
    ("no certificates", {"ca_bundle": "cdk.json"}, "ca_bundle must be a PEM file"),
    ("no file", {"ca_bundle": "no/such/file.pem"}, "ca_bundle must be a PEM file"),
    (
        "a secret that no endpoint reaches",
        {**NETWORK, "has_nat": False},
        "prod_secret_arn lies in eu-west-1, which a VPC endpoint in eu-central-1 does not reach:"
        " replicate the secret to eu-central-1",
    ),
    (
        "a stack away from its secrets",
        {
            **NETWORK,
            "has_nat": False,
            "region": "eu-west-1",
        },
        "staging_secret_arn lies in eu-central-1, which a VPC endpoint in eu-west-1 does not reach",
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
    ("fewer zones than subnets", {**NETWORK, "availability_zones": ["a"]}, "availability_zones"),
    *[
        (f"a network without {name}", {**NETWORK, name: empty}, f"{name} is missing")
        for name, empty in EMPTY.items()
    ],
]


@pytest.mark.parametrize(
    ("settings", "sentence"), [case[1:] for case in WRONG], ids=[case[0] for case in WRONG]
)
def test_a_wrong_setting_is_refused_by_name(settings: dict[str, Any], sentence: str) -> None:
    with pytest.raises(SettingsError) as refusal:
        parse_settings({**SECRETS, **settings}, "environments.staging")
    assert str(refusal.value).startswith(f"environments.staging.{sentence}")
    assert str(refusal.value).endswith(".")


@pytest.mark.parametrize("field", sorted(SECRETS))
def test_a_missing_setting_is_refused_by_name(field: str) -> None:
    settings = {name: value for name, value in SECRETS.items() if name != field}
    with pytest.raises(SettingsError, match=rf"^staging\.{field} is missing and has no default\.$"):
        parse_settings(settings, "staging")


def test_the_two_secrets_are_enough() -> None:
    settings = parse_settings(SECRETS, "staging")
    assert settings == Settings(
        prod_secret_arn=SECRETS["prod_secret_arn"],
        staging_secret_arn=SECRETS["staging_secret_arn"],
    )
    assert (settings.users_table, settings.email_column, settings.sub_column) == (
        "public.users",
        "email",
        "cognito_sub",
    )
    assert settings.list_users_rps == 20
    assert settings.schedule_expression is None
    assert settings.schedule_input == {"sync_cognito": True}
    assert settings.kept_columns == ()


def test_an_optional_setting_may_be_null() -> None:
    assert parse_settings({**SECRETS, "user_pool_id": None}, "staging").user_pool_id is None


@pytest.mark.parametrize(
    "expression",
    ["rate(1 day)", "rate(12 hours)", "cron(0/15 3 ? * MON-FRI *)", "at(2026-12-24T03:00:00)"],
)
def test_an_expression_of_each_kind_is_accepted(expression: str) -> None:
    settings = {**SECRETS, "schedule_expression": expression, "schedule_input": {}}
    assert parse_settings(settings, "staging").schedule_expression == expression


def test_what_belongs_together_is_accepted() -> None:
    network = {**NETWORK, "vpc_endpoints": True, "route_table_ids": ["rtb-11111111"]}
    here = {**SECRETS, "prod_secret_arn": SECRETS["prod_secret_arn"].replace("west-1", "central-1")}
    assert parse_settings({**here, **network, "has_nat": False}, "staging").vpc_endpoints
    assert parse_settings({**SECRETS, **LOOKUP}, "staging").vpc_lookup


def test_without_a_vpc_a_secret_may_lie_in_any_region() -> None:
    settings = parse_settings({**SECRETS, "region": "us-east-1"}, "staging")
    assert settings.region == "us-east-1"


def test_the_sub_column_is_kept_once_however_often_it_is_named() -> None:
    settings = parse_settings(
        {
            **SECRETS,
            "user_pool_id": "eu-central-1_Shop",
            "sync_rules": {"keep": ["public.users.cognito_sub"]},
        },
        "staging",
    )
    assert settings.kept_columns == ("public.users.cognito_sub",)


def test_the_chosen_environment_is_read() -> None:
    blocks = {"staging": SECRETS, "demo": {**SECRETS, "users_table": "demo.users"}}
    assert choose_environment(blocks)[0] == "staging"
    name, settings = choose_environment(blocks, "demo")
    assert (name, settings.users_table) == ("demo", "demo.users")


def test_an_only_environment_needs_no_choice() -> None:
    assert choose_environment({"demo": SECRETS})[0] == "demo"


@pytest.mark.parametrize(
    ("environments", "wanted", "sentence"),
    [
        (None, None, "environments: cdk.json's context must hold"),
        ({}, None, "environments: cdk.json's context must hold"),
        ([], "staging", "environments: cdk.json's context must hold"),
        ({"a": SECRETS, "b": SECRETS}, None, 'environment: "staging" is not one of a, b'),
        ({"staging": SECRETS}, "stagin", 'environment: "stagin" is not one of staging'),
        ({"my_staging": SECRETS}, None, "environments.my_staging: its name may hold only letters"),
        ({"staging": "x"}, None, "environments.staging must be an object"),
    ],
)
def test_an_environment_that_is_not_there_is_refused(
    environments: object, wanted: str | None, sentence: str
) -> None:
    with pytest.raises(SettingsError) as refusal:
        choose_environment(environments, wanted)
    assert str(refusal.value).startswith(sentence)


def run_app(out: Path, context: dict[str, Any]) -> subprocess.CompletedProcess[str]:
    """Run the command of cdk.json as the CDK CLI does, with no virtual environment activated."""
    return subprocess.run(  # noqa: S603 - the command is our own
        shlex.split(EXAMPLE["app"]),
        cwd=ROOT,
        env={
            **{name: value for name, value in os.environ.items() if name != "JSII_NODE"},
            "PATH": os.defpath,
            "CDK_OUTDIR": str(out),
            "CDK_CONTEXT_JSON": json.dumps(context),
        },
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_checked_in_example_synthesizes_as_it_is(tmp_path: Path) -> None:
    build_layer()  # here, so that what pip may say on the way is not the app's
    app = run_app(tmp_path / "out", EXAMPLE["context"])
    assert (app.returncode, app.stderr) == (0, "")
    assert (tmp_path / "out" / "staging-sync-staging.template.json").exists()


def test_a_wrong_setting_ends_the_app_with_one_sentence_and_no_traceback(tmp_path: Path) -> None:
    app = run_app(tmp_path / "out", {"environments": {"staging": {**SECRETS, "users": "people"}}})
    assert app.returncode == 1
    (line,) = app.stderr.splitlines()
    assert line.startswith("cdk.json: environments.staging.users is not a setting; known are ")
    assert not (tmp_path / "out" / "manifest.json").exists()
