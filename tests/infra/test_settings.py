"""A wrong setting ends the synthesis with one sentence that names the field."""

import json
import os
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest

from config import Settings, SettingsError, choose_environment, parse_settings
from layer import build_layer
from tests.infra.synthesized import EXAMPLE, ROOT, SECRETS

NETWORK = {
    "vpc_id": "vpc-1",
    "subnet_ids": ["subnet-1", "subnet-2"],
    "availability_zones": ["eu-central-1a", "eu-central-1b"],
    "security_group_ids": ["sg-1"],
}
EMPTY: dict[str, object] = {
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
    ("not a list", {**NETWORK, "subnet_ids": "subnet-1"}, "subnet_ids must be a list"),
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
    ("no expression", {"schedule_expression": "daily"}, "schedule_expression must be rate("),
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
