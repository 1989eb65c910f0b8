"""How a block of cdk.json becomes an environment's settings, or ends the app with an error."""

import json
import os
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest

from cdk.compute.dependencies import build_layer
from cdk.settings.load import SettingsError, choose_environment, parse_settings
from cdk.settings.model import Settings
from db_sync.mask.kinds import MaskRule
from tests.infra.blocks import LOOKUP, NETWORK
from tests.infra.synthesized import EXAMPLE, MASK_KEY_SECRET, ROOT, SECRETS, settings_by_iam


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


def test_a_complete_network_is_accepted() -> None:
    network = {**NETWORK, "vpc_endpoints": True, "route_table_ids": ["rtb-11111111"]}
    here = {**SECRETS, "prod_secret_arn": SECRETS["prod_secret_arn"].replace("west-1", "central-1")}
    assert parse_settings({**here, **network, "has_nat": False}, "staging").vpc_endpoints
    assert parse_settings({**SECRETS, **LOOKUP}, "staging").vpc_lookup


def test_without_a_vpc_a_secret_may_be_in_any_region() -> None:
    settings = parse_settings({**SECRETS, "region": "us-east-1"}, "staging")
    assert settings.region == "us-east-1"


@pytest.mark.parametrize("kind", ["null", "hash", "uuid"])
def test_production_s_subs_may_be_masked_by_what_no_two_rows_share(kind: str) -> None:
    block = {
        **SECRETS,
        "user_pool_id": "eu-central-1_Shop",
        "mask_key_secret_arn": MASK_KEY_SECRET,
        "sync_rules": {"mask": {"public.users.cognito_sub": kind}},
    }
    settings = parse_settings(block, "staging")
    assert settings.mask_of_users("cognito_sub") == MaskRule(kind)
    assert settings.email_mask is None


def test_masks_without_a_key_s_kinds_need_none() -> None:
    masks = {
        "public.users.phone": "null",
        "public.users.note": {"with": "fixed", "value": "masked"},
        "public.users.profile": {"with": "json", "paths": {"$.street": "null"}},
    }
    settings = parse_settings({**SECRETS, "sync_rules": {"mask": masks}}, "staging")
    assert settings.mask_key_secret_arn is None


def test_a_stack_without_other_secrets_is_in_the_partition_of_the_mask_key_s(
    tmp_path: Path,
) -> None:
    settings = {
        **settings_by_iam(tmp_path),
        "region": None,
        "mask_key_secret_arn": MASK_KEY_SECRET.replace(":aws:", ":aws-us-gov:"),
    }
    assert Settings.model_validate_json(json.dumps(settings)).partition == "aws-us-gov"


def kept_columns(*keep: object) -> tuple[object, ...]:
    block = {**SECRETS, "user_pool_id": "eu-central-1_Shop", "sync_rules": {"keep": keep}}
    return parse_settings(block, "staging").kept_columns


def test_the_sub_column_is_kept_for_as_long_as_the_email_is_the_same() -> None:
    for_a_person = {"column": "public.users.cognito_sub", "while_same": ["email"]}
    assert kept_columns() == (for_a_person,)
    assert kept_columns("public.users.cognito_sub") == (for_a_person,)
    assert kept_columns("public.shops.theme") == ("public.shops.theme", for_a_person)

    by_tenant = {"column": "public.users.cognito_sub", "while_same": ["tenant", "email"]}
    assert kept_columns(by_tenant) == (by_tenant,)


def test_followers_may_match_the_sub_column_by_a_pattern_and_kept_columns_by_null() -> None:
    follow = {"public.*.*sub": "public.users.cognito_sub", "public.shops.*": None}
    rules = {"follow": follow, "keep": ["public.shops.owner_sub"]}
    block = {**SECRETS, "user_pool_id": "eu-central-1_Shop", "sync_rules": rules}

    settings = parse_settings(block, "staging")

    assert settings.follow_variable == json.dumps(follow)
    assert parse_settings(SECRETS, "staging").follow_variable is None


def test_the_chosen_environment_is_read() -> None:
    blocks = {"staging": SECRETS, "demo": {**SECRETS, "users_table": "demo.users"}}
    assert choose_environment(blocks)[0] == "staging"
    name, settings = choose_environment(blocks, "demo")
    assert (name, settings.users_table) == ("demo", "demo.users")


def test_a_single_environment_need_not_be_chosen() -> None:
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
def test_an_environment_that_does_not_exist_is_refused(
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
    build_layer()  # here, so that nothing that pip prints is taken for the app's output
    app = run_app(tmp_path / "out", EXAMPLE["context"])
    assert (app.returncode, app.stderr) == (0, "")
    assert (tmp_path / "out" / "staging-sync-staging.template.json").exists()


def test_wrong_settings_end_the_app_with_a_sentence_for_each_and_no_traceback(
    tmp_path: Path,
) -> None:
    block = {**SECRETS, "users": "people", "region": "Frankfurt"}
    app = run_app(tmp_path / "out", {"environments": {"staging": block}})
    assert app.returncode == 1
    unknown, malformed = app.stderr.splitlines()
    assert unknown.startswith("cdk.json: environments.staging.users is not a setting; known are ")
    assert malformed.startswith("cdk.json: environments.staging.region must be a Region")
    assert not (tmp_path / "out" / "manifest.json").exists()
