"""Each role may do exactly what is listed here."""

from typing import Any

import pytest

from common.manifest import LISTING_FOLDER, MANIFEST_NAME
from db_sync.handler import REPORT as DB_SYNC_REPORT
from tests.infra.synthesized import SECRETS, Synthesized
from update_db.handler import REPORT as REMAP_REPORT

TRACING = {("xray:PutTraceSegments", "*"), ("xray:PutTelemetryRecords", "*")}
NETWORKING = {
    ("ec2:CreateNetworkInterface", "*"),
    ("ec2:DescribeNetworkInterfaces", "*"),
    ("ec2:DescribeSubnets", "*"),
    ("ec2:DeleteNetworkInterface", "*"),
    ("ec2:AssignPrivateIpAddresses", "*"),
    ("ec2:UnassignPrivateIpAddresses", "*"),
}
EXECUTIONS = "<Exchange/Bucket.Arn>/executions/*"
PROD, STAGING = SECRETS["prod_secret_arn"], SECRETS["staging_secret_arn"]
POOL = "arn:<AWS::Partition>:cognito-idp:eu-central-1:111122223333:userpool/eu-central-1_ReplaceMe"

type Permissions = set[tuple[str, str]]


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
}
WORKFLOW = {
    *TRACING,
    ("xray:GetSamplingRules", "*"),
    ("xray:GetSamplingTargets", "*"),
    # What Step Functions needs to deliver its log; none of it knows a resource.
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
}
BARE_ROLES = {
    "Lambdas/DbSync/Role": DB_SYNC,
    "Lambdas/ListCognitoUsers/Role": LIST_COGNITO_USERS,
    "Lambdas/UpdateDb/Role": UPDATE_DB,
    "Workflow/StateMachine/Role": WORKFLOW,
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
    # NotAction, NotResource or a Deny would need another reading than this one.
    assert set(statement) == {"Action", "Effect", "Resource"}
    assert statement["Effect"] == "Allow"
    return {
        (action, stack.text(resource))
        for action in as_list(statement["Action"])
        for resource in as_list(statement["Resource"])
    }


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def test_without_vpc_and_pool_each_role_may_do_exactly_this(bare: Synthesized) -> None:
    assert permissions_by_role(bare) == BARE_ROLES


def test_with_vpc_pool_and_schedule_each_role_may_do_exactly_this(full: Synthesized) -> None:
    roles = permissions_by_role(full)
    (scheduler,) = roles.keys() - BARE_ROLES.keys()
    assert roles == {
        **BARE_ROLES,
        "Lambdas/DbSync/Role": DB_SYNC | NETWORKING,
        "Lambdas/ListCognitoUsers/Role": LIST_COGNITO_USERS | LIST_POOL,
        "Lambdas/UpdateDb/Role": UPDATE_DB | NETWORKING,
        scheduler: {("states:StartExecution", "<Workflow/StateMachine>")},
    }


@pytest.mark.parametrize("stack", ["bare", "full"])
def test_no_role_has_rights_from_anywhere_else(stack: str, request: pytest.FixtureRequest) -> None:
    synthesized: Synthesized = request.getfixturevalue(stack)
    for role in synthesized.resources("AWS::IAM::Role"):
        assert "ManagedPolicyArns" not in role
        assert "Policies" not in role
    assert synthesized.resources("AWS::IAM::ManagedPolicy") == []
    assert synthesized.resources("AWS::Lambda::Permission") == []


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
        ["scheduler.amazonaws.com"],
        ["states.amazonaws.com"],
    ]


def test_without_a_pool_nothing_speaks_of_cognito_users(bare: Synthesized) -> None:
    actions = {action for role in permissions_by_role(bare).values() for action, _ in role}
    assert not [action for action in actions if action.startswith("cognito")]
    assert "COGNITO_USER_POOL_ID" not in bare.variables("list_cognito_users")


def test_the_rights_are_on_the_files_that_the_code_names() -> None:
    assert ("s3:PutObject", f"{EXECUTIONS}/{DB_SYNC_REPORT}") in DB_SYNC
    assert ("s3:PutObject", f"{EXECUTIONS}/{LISTING_FOLDER}/*") in LIST_COGNITO_USERS
    assert ("s3:GetObject", f"{EXECUTIONS}/{LISTING_FOLDER}/*") in UPDATE_DB
    assert MANIFEST_NAME.startswith(f"{LISTING_FOLDER}/")
    assert ("s3:GetObject", f"{EXECUTIONS}/{MANIFEST_NAME}") in LIST_COGNITO_USERS
    assert ("s3:PutObject", f"{EXECUTIONS}/{REMAP_REPORT}") in UPDATE_DB
