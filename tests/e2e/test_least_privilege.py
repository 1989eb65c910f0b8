"""A run needs each permission of a Lambda's role: without it the run is refused.

The other tests' runs show that no permission is missing; this shows that none is superfluous, and
that the local AWS enforces them.
"""

import contextlib
import json
from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.account import StagingAccount
from sandbox.pages import wait_for_page
from sandbox.processes import SandboxError
from statemachine.execution import run
from tests.e2e.tools import REMAP, SYNC, assert_refused

# For what AWS's services do with the role, which the local AWS does not check: Lambda writes logs
# and traces.
OF_SERVICES = {
    "logs:CreateLogStream",
    "logs:PutLogEvents",
    "xray:PutTraceSegments",
    "xray:PutTelemetryRecords",
}
# For large pools only, and for a multipart upload that fails.
OF_LARGE_POOLS = {
    ("list_cognito_users", "s3:GetObject"),
    ("list_cognito_users", "s3:AbortMultipartUpload"),
    ("update_db", "s3:AbortMultipartUpload"),
}
# For a sync in parts only, which test_parts.py does.
OF_PARTS = {("db_sync", "s3:GetObject")}
# S3 checks it where a file is missing, and answers "forbidden" without it. The local AWS does not.
OF_S3 = {("db_sync", "s3:ListBucket")}
WRITE_REPORT = {"s3:GetObject", "s3:PutObject", "s3:ListBucket"}
# Used after parts of the listing are written.
AFTER_LISTING = {
    ("list_cognito_users", "cognito-idp:DescribeUserPool"),
    ("update_db", "secretsmanager:GetSecretValue"),
    ("update_db", "s3:GetObject"),
    ("update_db", "s3:PutObject"),
}
NEEDED: list[tuple[str, str, str, dict[str, bool]]] = [
    ("db_sync", "secretsmanager:GetSecretValue", "Could not read the secret", SYNC),
    ("db_sync", "s3:PutObject", "Could not write s3://", SYNC),
    ("list_cognito_users", "cognito-idp:ListUsers", "Could not list the user pool", REMAP),
    ("list_cognito_users", "cognito-idp:DescribeUserPool", "Could not list the user pool", REMAP),
    ("list_cognito_users", "s3:PutObject", "Could not write s3://", REMAP),
    ("update_db", "secretsmanager:GetSecretValue", "Could not read the secret", REMAP),
    ("update_db", "s3:GetObject", "Could not read s3://", REMAP),
    ("update_db", "s3:PutObject", "Could not write s3://", REMAP),
]


@pytest.mark.parametrize(("package", "action", "sentence", "document"), NEEDED)
def test_without_one_of_its_permissions_a_lambda_cannot_do_its_work(
    account: StagingAccount, package: str, action: str, sentence: str, document: dict[str, bool]
) -> None:
    with taken_away(account, role_of(account, package), action):
        assert_refused(
            account, document, sentence, "AccessDenied", listed=(package, action) in AFTER_LISTING
        )


def test_every_permission_of_every_lambda_is_tested_above(account: StagingAccount) -> None:
    tried = {(package, action) for package, action, _, _ in NEEDED}
    tried |= {("write_report", action) for action in WRITE_REPORT}
    for package in ("db_sync", "list_cognito_users", "update_db", "write_report"):
        actions = {
            action
            for statement in statements(account, role_of(account, package))
            for action in as_list(statement["Action"])
        } - OF_SERVICES
        known = tried | OF_LARGE_POOLS | OF_PARTS | OF_S3
        assert actions == {action for owner, action in known if owner == package}


@pytest.mark.parametrize("action", ["s3:PutObject", "s3:ListBucket"])
def test_without_one_of_its_permissions_write_report_writes_no_page(
    account: StagingAccount, action: str
) -> None:
    with taken_away(account, role_of(account, "write_report"), action):
        execution = run(account, {"dry_rnu": True})
        with pytest.raises(SandboxError, match="no report"):
            wait_for_page(account, execution.name, timeout=3)


def test_a_file_that_write_report_may_not_read_is_named_in_the_page(
    account: StagingAccount,
) -> None:
    with taken_away(account, role_of(account, "write_report"), "s3:GetObject"):
        page = wait_for_page(account, run(account, SYNC).name)

    assert "db-sync.json could not be read" in page


@contextlib.contextmanager
def taken_away(account: StagingAccount, role: str, action: str) -> Iterator[None]:
    """Remove a permission from a role for the length of a with statement."""
    client = account.clients.iam
    (name,) = client.list_role_policies(RoleName=role)["PolicyNames"]
    before = client.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
    changed = {**before, "Statement": list(without(before["Statement"], action))}
    assert changed != before
    client.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(changed))
    try:
        yield
    finally:
        client.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(before))


def without(statements: list[dict[str, Any]], action: str) -> Iterator[dict[str, Any]]:
    """Return a policy's statements without an action."""
    for statement in statements:
        left = [entry for entry in as_list(statement["Action"]) if entry != action]
        if left:
            yield {**statement, "Action": left}


def statements(account: StagingAccount, role: str) -> list[dict[str, Any]]:
    """Return the statements of a role's only policy."""
    client = account.clients.iam
    (name,) = client.list_role_policies(RoleName=role)["PolicyNames"]
    document = client.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
    found: list[dict[str, Any]] = document["Statement"]
    return found


def role_of(account: StagingAccount, package: str) -> str:
    """Return the name of a Lambda's role."""
    name = account.function_name(package)
    arn = account.clients.functions.get_function_configuration(FunctionName=name)["Role"]
    return arn.rpartition("/")[2]


def as_list(value: Any) -> list[Any]:
    """Return a policy's value as a list: a single one may be written without brackets."""
    return value if isinstance(value, list) else [value]
