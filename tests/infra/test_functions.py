"""The Lambdas: their code, their network and their environment variables."""

import json
from pathlib import Path
from typing import Any

import pytest

from cdk.settings.sync_rules import SyncRuleSettings
from common.follow.rules import FollowRules
from common.postgres.column_patterns import ColumnPattern
from common.postgres.names import Name, TableColumn
from db_sync.rules import FIELDS, SyncRules
from tests.infra.synthesized import MASK_KEY_SECRET, ROOT, SECRETS, Synthesized, synthesize

PACKAGES = ["db_sync", "list_cognito_users", "update_db", "write_report"]
POWERTOOLS = {"POWERTOOLS_SERVICE_NAME": "staging-sync-staging", "POWERTOOLS_LOG_LEVEL": "INFO"}


def test_there_are_four_lambdas_and_no_more(full: Synthesized) -> None:
    handlers = sorted(function["Handler"] for function in full.resources("AWS::Lambda::Function"))
    assert handlers == [f"{package}.handler.handler" for package in PACKAGES]


@pytest.mark.parametrize("package", PACKAGES)
def test_each_handler_is_in_the_code_asset(full: Synthesized, package: str) -> None:
    code = full.asset(full.function(package)["Code"]["S3Key"])
    assert (code / "common").is_dir()
    shipped = {path.relative_to(code) for path in code.rglob("*.py")}
    written = {path.relative_to(ROOT / "functions") for path in (ROOT / "functions").rglob("*.py")}
    assert shipped == written
    assert not [path for path in code.rglob("*") if path.name == "__pycache__"]


@pytest.mark.parametrize("package", PACKAGES)
def test_every_lambda_runs_on_the_platform_of_the_layer(full: Synthesized, package: str) -> None:
    function = full.function(package)
    assert function["Runtime"] == "python3.13"
    assert function["Architectures"] == ["arm64"]
    (layer,) = function["Layers"]
    assert full.text(layer) == "<Lambdas/Layer>"
    properties = full.only("AWS::Lambda::LayerVersion")
    assert properties["CompatibleRuntimes"] == ["python3.13"]
    assert properties["CompatibleArchitectures"] == ["arm64"]


@pytest.mark.parametrize("package", PACKAGES)
def test_every_lambda_has_a_timeout_traces_and_a_log_retention(
    full: Synthesized, package: str
) -> None:
    function = full.function(package)
    assert (function["Timeout"], function["MemorySize"]) == (
        (60, 512) if package == "write_report" else (900, 1024)
    )
    assert function["TracingConfig"] == {"Mode": "Active"}
    log_group = full.text(function["LoggingConfig"]["LogGroup"]).strip("<>")
    assert full.paths("AWS::Logs::LogGroup")[log_group]["RetentionInDays"] == 90


def test_db_sync_s_variables_are_its_secrets_bucket_and_rules(full: Synthesized) -> None:
    variables = full.variables("db_sync")
    assert variables == {
        **POWERTOOLS,
        "PROD_SECRET_ARN": SECRETS["prod_secret_arn"],
        "STAGING_SECRET_ARN": SECRETS["staging_secret_arn"],
        "EXCHANGE_BUCKET": variables["EXCHANGE_BUCKET"],
        "SYNC_RULES": variables["SYNC_RULES"],
        "IN_PARTS": "first_load",
        "PARTS_CONCURRENCY": "8",
    }
    assert full.text(variables["EXCHANGE_BUCKET"]) == "<Exchange/Bucket>"


def test_list_cognito_users_s_variables_are_its_pool_bucket_and_rate(full: Synthesized) -> None:
    variables = full.variables("list_cognito_users")
    assert variables == {
        **POWERTOOLS,
        "COGNITO_USER_POOL_ID": "eu-central-1_ReplaceMe",
        "EXCHANGE_BUCKET": variables["EXCHANGE_BUCKET"],
        "LIST_USERS_RPS": "20",
    }
    assert full.text(variables["EXCHANGE_BUCKET"]) == "<Exchange/Bucket>"


def test_update_db_s_variables_are_staging_s_secret_only_and_where_the_users_are(
    full: Synthesized,
) -> None:
    variables = full.variables("update_db")
    assert variables == {
        **POWERTOOLS,
        "STAGING_SECRET_ARN": SECRETS["staging_secret_arn"],
        "EXCHANGE_BUCKET": variables["EXCHANGE_BUCKET"],
        "USERS_TABLE": "public.users",
        "EMAIL_COLUMN": "email",
        "SUB_COLUMN": "cognito_sub",
        "REQUIRE_VERIFIED_EMAIL": "false",
        "RELEASE_MISMATCHED": "true",
        "MIN_MATCHED_PERCENT": "0",
        "USERS_WHERE": "",
        "FOLLOW": "{}",
    }
    assert full.text(variables["EXCHANGE_BUCKET"]) == "<Exchange/Bucket>"


def test_the_settings_have_the_rules_that_db_sync_knows() -> None:
    assert tuple(SyncRuleSettings.model_fields) == FIELDS


def test_with_a_pool_the_sub_column_belongs_to_the_target(full: Synthesized) -> None:
    rules = full.variables("db_sync")["SYNC_RULES"]
    # As DbSync itself reads it:
    assert SyncRules.parse(rules) == SyncRules(
        keep={Name("public", "users"): {"cognito_sub": ("email",)}}
    )


def test_the_remap_gets_the_most_exact_rule_of_the_email_column(
    tmp_path: Path, minimal_settings: dict[str, Any]
) -> None:
    masks = {"*.email": "hash", "public.*.email": "email", "public.users.name": "name"}
    settings = {
        **minimal_settings,
        "mask_key_secret_arn": MASK_KEY_SECRET,
        "sync_rules": {"mask": masks},
    }
    stack = synthesize(tmp_path / "out", settings)

    assert json.loads(stack.variables("update_db")["EMAIL_MASK"]) == {"with": "email"}
    assert SyncRules.parse(stack.variables("db_sync")["SYNC_RULES"]).masks.masks.keys() == {
        ColumnPattern.parse(name, "mask") for name in masks
    }


def test_both_lambdas_read_the_same_rule_of_what_follows_the_sub(
    everything: Synthesized,
) -> None:
    of_the_sync = SyncRules.parse(everything.variables("db_sync")["SYNC_RULES"]).follow
    of_the_remap = FollowRules.parse(json.loads(everything.variables("update_db")["FOLLOW"]))

    assert of_the_sync == of_the_remap
    column = TableColumn(Name("public", "audit"), "created_by_sub")
    rule = of_the_remap.rule_of(column)
    assert rule is not None
    assert rule.followed == TableColumn(Name("auth", "people"), "sub")


def test_rules_that_have_no_room_among_the_variables_are_in_a_layer_s_file(
    tmp_path: Path, minimal_settings: dict[str, Any]
) -> None:
    reviewed = [f"public.a_table_with_a_long_name.column_{number}" for number in range(500)]
    settings = {**minimal_settings, "sync_rules": {"reviewed": reviewed}}
    stack = synthesize(tmp_path / "out", settings)

    variables = stack.variables("db_sync")
    texts = {name: stack.text(value) for name, value in variables.items()}
    assert sum(len(name) + len(text) for name, text in texts.items()) < 4096
    layers = [stack.text(layer) for layer in stack.function("db_sync")["Layers"]]
    assert layers == ["<Lambdas/Layer>", "<Lambdas/Rules>"]
    layer = stack.paths("AWS::Lambda::LayerVersion")["Lambdas/Rules"]
    unpacked = stack.asset(layer["Content"]["S3Key"])  # to /opt
    file = unpacked / Path(variables["SYNC_RULES_FILE"]).relative_to("/opt")
    assert len(SyncRules.parse(file.read_text()).masks.reviewed) == 500
    assert len(stack.function("update_db")["Layers"]) == 1


def test_without_a_pool_no_column_is_kept_that_is_not_configured(bare: Synthesized) -> None:
    rules = json.loads(bare.variables("db_sync")["SYNC_RULES"])
    assert rules == {"exclude": [], "include": [], "keep": []}


def test_other_names_and_rules_are_in_the_variables(everything: Synthesized) -> None:
    rules = json.loads(everything.variables("db_sync")["SYNC_RULES"])
    assert rules == {
        "exclude": ["public.audit_log"],
        "include": ["public.schema_migrations"],
        "keep": ["public.shops.theme", {"column": "auth.people.sub", "while_same": ["mail"]}],
        "follow": {
            "public.audit.*_by_sub": "auth.people.sub",
            "public.teams.settings": {"column": "auth.people.sub", "paths": ["$.members[*]"]},
        },
        "mask": {"auth.people.mail": {"with": "email", "keep_domains": ["example.com"]}},
        "reviewed": ["public.shops.name"],
        "unreviewed": "fail",
        "event_triggers_ok": True,
        "parallel_query": False,
    }
    assert everything.variables("db_sync")["MASK_KEY_SECRET_ARN"] == MASK_KEY_SECRET
    assert everything.variables("db_sync")["IN_PARTS"] == "when_needed"
    assert everything.variables("db_sync")["PARTS_CONCURRENCY"] == "24"
    variables = everything.variables("update_db")
    assert variables["MASK_KEY_SECRET_ARN"] == MASK_KEY_SECRET
    assert json.loads(variables["EMAIL_MASK"]) == {
        "with": "email",
        "keep_domains": ["example.com"],
    }
    assert json.loads(variables["FOLLOW"]) == rules["follow"]
    assert variables["USERS_TABLE"] == "auth.people"
    assert variables["EMAIL_COLUMN"] == "mail"
    assert variables["SUB_COLUMN"] == "sub"
    assert variables["REQUIRE_VERIFIED_EMAIL"] == "true"
    assert variables["RELEASE_MISMATCHED"] == "false"
    assert variables["MIN_MATCHED_PERCENT"] == "12.5"
    assert variables["USERS_WHERE"] == "deleted_at IS NULL"
    assert everything.variables("list_cognito_users")["LIST_USERS_RPS"] == "27.5"


@pytest.mark.parametrize("package", ["db_sync", "update_db"])
def test_the_lambdas_that_connect_to_a_database_run_in_the_vpc(
    full: Synthesized, package: str
) -> None:
    assert full.function(package)["VpcConfig"] == {
        "SubnetIds": ["subnet-11112222333344445", "subnet-55556666777788889"],
        "SecurityGroupIds": ["sg-11112222333344445"],
    }


def test_list_cognito_users_never_runs_in_the_vpc(full: Synthesized) -> None:
    assert "VpcConfig" not in full.function("list_cognito_users")


def test_without_a_vpc_no_lambda_runs_in_one(bare: Synthesized) -> None:
    for function in bare.resources("AWS::Lambda::Function"):
        assert "VpcConfig" not in function


def test_the_vpc_s_own_security_groups_are_left_alone(full: Synthesized) -> None:
    assert [kind for kind in kinds(full) if kind.startswith("AWS::EC2::")] == []


def kinds(stack: Synthesized) -> set[str]:
    return {resource["Type"] for resource in stack.template["Resources"].values()}
