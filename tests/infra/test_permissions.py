"""Each role may do exactly what is listed here."""

import json
from pathlib import Path
from typing import Any

import pytest

from cdk.compute.lambdas import PARTS
from cdk.workflow import ROUNDS
from common.manifest import LISTING_FOLDER, MANIFEST_NAME
from common.reports.remap import PEOPLE
from common.reports.remap import REPORT as REMAP_REPORT
from common.reports.sync import REPORT as DB_SYNC_REPORT
from tests.infra.synthesized import (
    BOUNDARY,
    CUSTOMER_KEY,
    MASK_KEY_SECRET,
    PRODUCTION_KEY,
    SECRETS,
    STAGING_KEY,
    Synthesized,
    synthesize,
)
from write_report.history import LATEST, PAGE

TRACING = {("xray:PutTraceSegments", "*"), ("xray:PutTelemetryRecords", "*")}
NETWORKING = {
    ("ec2:CreateNetworkInterface", "*"),
    ("ec2:DescribeNetworkInterfaces", "*"),
    ("ec2:DescribeSubnets", "*"),
    ("ec2:DeleteNetworkInterface", "*"),
    ("ec2:AssignPrivateIpAddresses", "*"),
    ("ec2:UnassignPrivateIpAddresses", "*"),
}
CONTEXT = "kms:EncryptionContext:"
MACHINE = "arn:<AWS::Partition>:states:eu-central-1:111122223333:stateMachine:staging-sync-staging"
LOGS = "arn:<AWS::Partition>:logs:eu-central-1:111122223333:*"
ARN_VARIABLES = ("PROD_SECRET_ARN", "STAGING_SECRET_ARN", "MASK_KEY_SECRET_ARN")
EXECUTIONS = "<Exchange/Bucket.Arn>/executions/*"
PROD, STAGING = SECRETS["prod_secret_arn"], SECRETS["staging_secret_arn"]
POOL = "arn:<AWS::Partition>:cognito-idp:eu-central-1:111122223333:userpool/eu-central-1_ReplaceMe"

# An action on a resource, and for some the conditions under which it is allowed.
type Permissions = set[tuple[str, ...]]


def logging_to(log_group: str) -> Permissions:
    return {
        ("logs:CreateLogStream", f"<{log_group}.Arn>"),
        ("logs:PutLogEvents", f"<{log_group}.Arn>"),
    }


DB_SYNC = {
    *logging_to("Lambdas/DbSync/Logs"),
    *TRACING,
    ("secretsmanager:GetSecretValue", PROD),
    ("secretsmanager:GetSecretValue", STAGING),
    ("s3:PutObject", f"{EXECUTIONS}/db-sync.json"),
    ("s3:GetObject", f"{EXECUTIONS}/parts/*"),
    ("s3:PutObject", f"{EXECUTIONS}/parts/*"),
    ("s3:ListBucket", "<Exchange/Bucket.Arn>", "s3:prefix=executions/*/parts/*"),
}
LIST_COGNITO_USERS = {
    *logging_to("Lambdas/ListCognitoUsers/Logs"),
    *TRACING,
    ("s3:PutObject", f"{EXECUTIONS}/cognito-users/*"),
    ("s3:AbortMultipartUpload", f"{EXECUTIONS}/cognito-users/*"),
    ("s3:GetObject", f"{EXECUTIONS}/cognito-users/manifest.json"),
}
LIST_POOL = {("cognito-idp:ListUsers", POOL), ("cognito-idp:DescribeUserPool", POOL)}
UPDATE_DB = {
    *logging_to("Lambdas/UpdateDb/Logs"),
    *TRACING,
    ("secretsmanager:GetSecretValue", STAGING),
    ("s3:GetObject", f"{EXECUTIONS}/cognito-users/*"),
    ("s3:PutObject", f"{EXECUTIONS}/cognito-mapping.csv.gz"),
    ("s3:AbortMultipartUpload", f"{EXECUTIONS}/cognito-mapping.csv.gz"),
    ("s3:PutObject", f"{EXECUTIONS}/cognito-mapping.json"),
}
WRITE_REPORT = {
    *logging_to("Lambdas/WriteReport/Logs"),
    *TRACING,
    ("s3:GetObject", f"{EXECUTIONS}/db-sync.json"),
    ("s3:GetObject", f"{EXECUTIONS}/cognito-mapping.json"),
    ("s3:GetObject", f"{EXECUTIONS}/cognito-users/manifest.json"),
    ("s3:GetObject", f"{EXECUTIONS}/report.html"),
    ("s3:PutObject", f"{EXECUTIONS}/report.html"),
    ("s3:PutObject", "<Exchange/Bucket.Arn>/latest/report.html"),
    ("s3:ListBucket", "<Exchange/Bucket.Arn>", "s3:prefix=executions/*"),
}
WORKFLOW = {
    *TRACING,
    ("xray:GetSamplingRules", "*"),
    ("xray:GetSamplingTargets", "*"),
    # What Step Functions needs to deliver its log; these actions take no resource.
    ("logs:CreateLogDelivery", "*"),
    ("logs:GetLogDelivery", "*"),
    ("logs:UpdateLogDelivery", "*"),
    ("logs:DeleteLogDelivery", "*"),
    ("logs:ListLogDeliveries", "*"),
    ("logs:PutResourcePolicy", "*"),
    ("logs:DescribeResourcePolicies", "*"),
    ("logs:DescribeLogGroups", "*"),
    ("lambda:InvokeFunction", "<Lambdas/DbSync/Function.Arn>"),
    ("lambda:InvokeFunction", "<Lambdas/ListCognitoUsers/Function.Arn>"),
    ("lambda:InvokeFunction", "<Lambdas/UpdateDb/Function.Arn>"),
    ("s3:GetObject", f"{EXECUTIONS}/parts/round-*.jsonl"),
}
LAMBDA_ROLES = {
    "Lambdas/DbSync/Role": DB_SYNC,
    "Lambdas/ListCognitoUsers/Role": LIST_COGNITO_USERS,
    "Lambdas/UpdateDb/Role": UPDATE_DB,
    "Lambdas/WriteReport/Role": WRITE_REPORT,
}
WORKFLOW_ROLE = "Workflow/StateMachine/Role"


def running_a_distributed_map(place: str) -> Permissions:
    """Return what the machine may do with itself, at `region:account`."""
    states = f"arn:<AWS::Partition>:states:{place}"
    own = f"{states}:execution:staging-sync-staging:*"
    children = f"{states}:execution:staging-sync-staging/SyncParts:*"
    return {
        ("states:StartExecution", f"{states}:stateMachine:staging-sync-staging"),
        ("states:DescribeExecution", own),
        ("states:DescribeExecution", children),
        ("states:StopExecution", own),
        ("states:StopExecution", children),
        ("states:RedriveExecution", children),
    }


def permissions_by_role(stack: Synthesized) -> dict[str, Permissions]:
    """Return every allowed (action, resource) of every role, by the role's path."""
    roles: dict[str, Permissions] = {path: set() for path in stack.paths("AWS::IAM::Role")}
    for policy in stack.resources("AWS::IAM::Policy"):
        for role in policy["Roles"]:
            for statement in policy["PolicyDocument"]["Statement"]:
                roles[stack.text(role).strip("<>")] |= permissions_of(stack, statement)
    return roles


def permissions_of(stack: Synthesized, statement: dict[str, Any]) -> Permissions:
    # A statement with NotAction, NotResource or Deny would mean something else.
    assert set(statement) - {"Condition"} == {"Action", "Effect", "Resource"}
    assert statement["Effect"] == "Allow"
    conditions = conditions_of(stack, statement.get("Condition", {}))
    return {
        (action, stack.text(resource), *conditions)
        for action in as_list(statement["Action"])
        for resource in as_list(statement["Resource"])
    }


def conditions_of(stack: Synthesized, condition: dict[str, Any]) -> list[str]:
    """Return a statement's conditions as `key=value`; each must hold."""
    assert set(condition) <= {"StringEquals", "StringLikeIfExists"}
    return sorted(
        f"{key}={stack.text(value)}" for each in condition.values() for key, value in each.items()
    )


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def test_without_vpc_and_pool_each_role_may_do_exactly_this(bare: Synthesized) -> None:
    assert permissions_by_role(bare) == {
        **LAMBDA_ROLES,
        WORKFLOW_ROLE: WORKFLOW | running_a_distributed_map("<AWS::Region>:<AWS::AccountId>"),
    }


def test_with_vpc_pool_and_schedule_each_role_may_do_exactly_this(full: Synthesized) -> None:
    roles = permissions_by_role(full)
    (scheduler,) = roles.keys() - LAMBDA_ROLES.keys() - {WORKFLOW_ROLE}
    assert roles == {
        "Lambdas/DbSync/Role": DB_SYNC | NETWORKING,
        "Lambdas/ListCognitoUsers/Role": LIST_COGNITO_USERS | LIST_POOL,
        "Lambdas/UpdateDb/Role": UPDATE_DB | NETWORKING,
        "Lambdas/WriteReport/Role": WRITE_REPORT,
        WORKFLOW_ROLE: WORKFLOW | running_a_distributed_map("eu-central-1:111122223333"),
        scheduler: {
            ("states:StartExecution", "<Workflow/StateMachine>"),
            ("sqs:SendMessage", "<Schedule/DeadLetters.Arn>"),
        },
    }


def test_with_keys_each_role_may_use_them_for_its_own_secrets_and_this_bucket_only(
    everything: Synthesized,
) -> None:
    roles = permissions_by_role(everything)
    keyed = {
        path: {permission for permission in role if permission[0].startswith("kms:")}
        for path, role in roles.items()
    }
    prod, staging, mask_key = (everything.variables("db_sync")[name] for name in ARN_VARIABLES)
    assert {path: role for path, role in keyed.items() if role} == {
        "Lambdas/DbSync/Role": {
            *decrypting_secret(prod),
            *decrypting_secret(staging),
            *decrypting_secret(mask_key),
            through_s3("kms:GenerateDataKey"),
            through_s3("kms:Decrypt"),
        },
        "Lambdas/ListCognitoUsers/Role": {
            through_s3("kms:GenerateDataKey"),
            through_s3("kms:Decrypt"),
        },
        "Lambdas/UpdateDb/Role": {
            *decrypting_secret(staging),
            *decrypting_secret(mask_key),
            through_s3("kms:GenerateDataKey"),
            through_s3("kms:Decrypt"),
        },
        "Lambdas/WriteReport/Role": {
            through_s3("kms:GenerateDataKey"),
            through_s3("kms:Decrypt"),
        },
        WORKFLOW_ROLE: {
            through_s3("kms:Decrypt"),
            ("kms:Decrypt", CUSTOMER_KEY, f"{CONTEXT}aws:states:stateMachineArn={MACHINE}"),
            ("kms:GenerateDataKey", CUSTOMER_KEY, f"{CONTEXT}aws:states:stateMachineArn={MACHINE}"),
            ("kms:GenerateDataKey", CUSTOMER_KEY, f"{CONTEXT}SourceArn={LOGS}"),
        },
    }


def decrypting_secret(secret: str) -> Permissions:
    """Return the permission to decrypt this one secret with either of the secrets' keys."""
    conditions = (
        f"{CONTEXT}SecretARN={secret}",
        "kms:ViaService=secretsmanager.eu-central-1.amazonaws.com",
    )
    return {("kms:Decrypt", key, *conditions) for key in (PRODUCTION_KEY, STAGING_KEY)}


def through_s3(action: str) -> tuple[str, ...]:
    conditions = (
        f"{CONTEXT}aws:s3:arn=<Exchange/Bucket.Arn>",
        "kms:ViaService=s3.eu-central-1.amazonaws.com",
    )
    return (action, CUSTOMER_KEY, *conditions)


def test_a_key_in_another_region_is_used_through_that_region_s_secrets_manager(
    tmp_path: Path, minimal_settings: dict[str, Any]
) -> None:
    key = PRODUCTION_KEY.replace("eu-central-1", "eu-west-1")
    settings = {
        **minimal_settings,
        "secrets_kms_key_arns": [key, STAGING_KEY],
    }
    roles = permissions_by_role(synthesize(tmp_path / "out", settings))
    db_sync = {entry[1:] for entry in roles["Lambdas/DbSync/Role"] if entry[0] == "kms:Decrypt"}
    assert db_sync == {
        (
            owned,
            f"{CONTEXT}SecretARN={secret}",
            f"kms:ViaService=secretsmanager.{region}.amazonaws.com",
        )
        for owned, secret, region in [
            (key, PROD, "eu-west-1"),
            (STAGING_KEY, STAGING, "eu-central-1"),
        ]
    }
    update_db = [entry[1] for entry in roles["Lambdas/UpdateDb/Role"] if entry[0] == "kms:Decrypt"]
    assert update_db == [STAGING_KEY]


@pytest.mark.parametrize(
    ("masks", "readers"),
    [
        ({"public.users.name": "name"}, ["Lambdas/DbSync/Role"]),
        ({"*.email": "email"}, ["Lambdas/DbSync/Role", "Lambdas/UpdateDb/Role"]),
    ],
)
def test_the_mask_key_is_read_by_those_that_mask_with_it(
    tmp_path: Path, minimal_settings: dict[str, Any], masks: dict[str, str], readers: list[str]
) -> None:
    settings = {
        **minimal_settings,
        "mask_key_secret_arn": MASK_KEY_SECRET,
        "sync_rules": {"mask": masks},
    }
    roles = permissions_by_role(synthesize(tmp_path / "out", settings))

    wanted = ("secretsmanager:GetSecretValue", MASK_KEY_SECRET)
    assert [path for path in sorted(roles) if wanted in roles[path]] == readers


def test_every_role_carries_the_permissions_boundary(everything: Synthesized) -> None:
    boundaries = {role["PermissionsBoundary"] for role in everything.resources("AWS::IAM::Role")}
    assert boundaries == {BOUNDARY}


@pytest.mark.parametrize("stack", ["bare", "full", "everything"])
def test_no_role_has_permissions_from_anywhere_else(
    stack: str, request: pytest.FixtureRequest
) -> None:
    synthesized: Synthesized = request.getfixturevalue(stack)
    for role in synthesized.resources("AWS::IAM::Role"):
        assert "ManagedPolicyArns" not in role
        assert "Policies" not in role
    assert synthesized.resources("AWS::IAM::ManagedPolicy") == []
    (permission,) = synthesized.resources("AWS::Lambda::Permission")
    assert permission["Principal"] == "events.amazonaws.com"
    assert synthesized.text(permission["SourceArn"]) == "<ReportPage/Rule.Arn>"
    assert synthesized.text(permission["FunctionName"]) == "<Lambdas/WriteReport/Function.Arn>"


@pytest.mark.parametrize("stack", ["bare", "full"])
def test_the_machine_s_permission_to_start_itself_is_in_a_policy_that_the_machine_waits_for(
    stack: str, request: pytest.FixtureRequest
) -> None:
    synthesized: Synthesized = request.getfixturevalue(stack)
    resources = synthesized.template["Resources"]
    (machine,) = (name for name in resources if "StateMachine" in resources[name]["Type"])
    (policy,) = (name for name in resources if "states:RedriveExecution" in str(resources[name]))
    # A policy that refers to the machine would wait for it, and the machine for its role.
    assert machine not in json.dumps(resources[policy])
    assert resources[policy]["Type"] == "AWS::IAM::Policy"
    assert policy in resources[machine]["DependsOn"]


def test_no_action_on_executions_or_files_is_for_all_of_them(full: Synthesized) -> None:
    for role in permissions_by_role(full).values():
        for action, resource, *_ in role:
            if action.startswith(("states:", "s3:", "lambda:", "kms:")):
                assert resource != "*", action


def test_each_role_is_for_one_service(full: Synthesized) -> None:
    services = {
        path: [
            statement["Principal"]["Service"]
            for statement in role["AssumeRolePolicyDocument"]["Statement"]
        ]
        for path, role in full.paths("AWS::IAM::Role").items()
    }
    assert sorted(services.values()) == [
        ["lambda.amazonaws.com"],
        ["lambda.amazonaws.com"],
        ["lambda.amazonaws.com"],
        ["lambda.amazonaws.com"],
        ["scheduler.amazonaws.com"],
        ["states.amazonaws.com"],
    ]


def test_without_a_pool_there_are_no_permissions_and_variables_for_one(bare: Synthesized) -> None:
    actions = {action for role in permissions_by_role(bare).values() for action, *_ in role}
    assert not [action for action in actions if action.startswith("cognito")]
    assert "COGNITO_USER_POOL_ID" not in bare.variables("list_cognito_users")


def test_the_permissions_are_for_the_files_that_the_code_names() -> None:
    assert ("s3:PutObject", f"{EXECUTIONS}/{DB_SYNC_REPORT}") in DB_SYNC
    assert ("s3:PutObject", f"{EXECUTIONS}/{LISTING_FOLDER}/*") in LIST_COGNITO_USERS
    assert ("s3:GetObject", f"{EXECUTIONS}/{LISTING_FOLDER}/*") in UPDATE_DB
    assert ("s3:GetObject", f"{EXECUTIONS}/{PARTS}") in DB_SYNC
    assert ("s3:GetObject", f"{EXECUTIONS}/{ROUNDS}") in WORKFLOW
    assert MANIFEST_NAME.startswith(f"{LISTING_FOLDER}/")
    assert ("s3:GetObject", f"{EXECUTIONS}/{MANIFEST_NAME}") in LIST_COGNITO_USERS
    assert ("s3:PutObject", f"{EXECUTIONS}/{PEOPLE}") in UPDATE_DB
    assert ("s3:PutObject", f"{EXECUTIONS}/{REMAP_REPORT}") in UPDATE_DB
    assert ("s3:PutObject", f"<Exchange/Bucket.Arn>/{LATEST}") in WRITE_REPORT
    assert ("s3:PutObject", f"{EXECUTIONS}/{PAGE}") in WRITE_REPORT
