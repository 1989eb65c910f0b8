"""What cannot be done safely is refused with a message to act on, and staging stays as it was."""

import io
import json
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from common.postgres.waits import WAITS
from sandbox.account import StagingAccount
from sandbox.bookshop.databases import NAME, Bookshop
from sandbox.cloud import free_port
from statemachine.execution import Execution, run
from tests.e2e.tools import (
    REMAP,
    SYNC,
    assert_refused,
    everything,
    function_changed,
    log_text,
    secret_text,
)

# Seconds within which four attempts to connect to a database fail: the local AWS retries at once,
# while AWS waits for minutes. A single attempt at a database that does not answer takes that long.
SOON = 45
TRIES = 4


def without(secret: dict[str, Any], field: str) -> str:
    """Return the text of a secret without a field."""
    return json.dumps({key: value for key, value in secret.items() if key != field})


def assert_unavailable(account: StagingAccount, address: str) -> Execution:
    """Run a sync that must not reach its database, in any of the workflow's attempts."""
    began = datetime.now(UTC)
    said = ("Could not connect to", address)
    refused = assert_refused(account, SYNC, *said, error="DatabaseUnavailable")
    assert log_text(account, since=began, of="DbSync").count("START RequestId") == TRIES
    return refused


def test_a_staging_that_is_not_marked_is_refused_with_the_statement_that_marks_it(
    account: StagingAccount,
) -> None:
    account.staging.server.execute("postgres", f"COMMENT ON DATABASE {NAME} IS 'ours'")
    statement = f"""COMMENT ON DATABASE "{NAME}" IS 'staging-sync target';"""

    said = ("not marked as a sync target", statement)
    assert_refused(account, {"sync_cognito": True}, *said, error="TargetNotAllowed")
    assert_refused(account, REMAP, *said, error="TargetNotAllowed", listed=True)


def test_two_secrets_that_point_to_one_database_are_refused(account: StagingAccount) -> None:
    arn, secret = account.production_secret_arn, account.staging.secret
    with secret_text(account, arn, json.dumps(secret)):
        said = ("marked as a sync target itself", "Check the secrets")
        assert_refused(account, SYNC, *said, error="TargetNotAllowed")


def test_two_names_of_one_database_are_refused_even_without_a_mark(
    account: StagingAccount,
) -> None:
    account.staging.server.execute("postgres", f"COMMENT ON DATABASE {NAME} IS NULL")
    other_name = f"{account.staging.server.socket_dir}/../staging"
    secret = {**account.staging.secret, "host": other_name}
    with secret_text(account, account.production_secret_arn, json.dumps(secret)):
        said = ("one and the same database", "Check the secrets")
        assert_refused(account, SYNC, *said, error="TargetNotAllowed")


@pytest.mark.parametrize("document", [SYNC, REMAP], ids=["sync", "remap"])
def test_a_secret_without_a_password_is_refused_and_no_value_is_shown(
    account: StagingAccount, document: object
) -> None:
    arn = account.staging_secret_arn
    with secret_text(account, arn, without(account.staging.secret, "password")):
        refused = assert_refused(account, document, arn, "password", listed=document == REMAP)
    assert str(account.staging.secret["host"]) not in refused.cause


@pytest.mark.parametrize("document", [SYNC, REMAP], ids=["sync", "remap"])
def test_a_secret_that_is_not_json_is_refused_and_no_value_is_shown(
    account: StagingAccount, document: object
) -> None:
    arn = account.staging_secret_arn
    with secret_text(account, arn, "hunter2"):
        refused = assert_refused(
            account, document, arn, "not a JSON object", listed=document == REMAP
        )
    assert "hunter2" not in refused.cause


def test_a_wrong_password_is_refused_as_a_setting_and_not_shown(account: StagingAccount) -> None:
    secret = {**account.production.secret, "password": "not-the-password"}
    with secret_text(account, account.production_secret_arn, json.dumps(secret)):
        refused = assert_refused(account, SYNC, "Could not log in to", "5432/bookshop")
    assert "not-the-password" not in refused.cause
    assert refused.seconds > WAITS.rotation.seconds, "it waits in case the secret is being rotated"


def test_a_database_that_is_down_fails_within_a_minute_and_host_and_port_are_named(
    account: StagingAccount,
) -> None:
    port = free_port()  # nothing listens there
    for database, arn in databases(account):
        secret = {**database.secret, "host": "127.0.0.1", "port": port}
        with secret_text(account, arn, json.dumps(secret)):
            refused = assert_unavailable(account, f"127.0.0.1:{port}")
        assert refused.seconds < SOON


def test_a_wrong_port_fails_within_a_minute_and_is_named(account: StagingAccount) -> None:
    for database, arn in databases(account):
        with secret_text(account, arn, json.dumps({**database.secret, "port": 5999})):
            refused = assert_unavailable(account, ":5999/")
        assert refused.seconds < SOON


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ("ALTER TABLE users RENAME TO people", "users"),
        ("ALTER TABLE users RENAME COLUMN cognito_sub TO sub", "cognito_sub"),
    ],
    ids=["table", "column"],
)
def test_a_missing_users_table_or_column_is_refused_before_anything_is_written(
    account: StagingAccount, change: str, named: str
) -> None:
    account.production.change(change)
    account.staging.change(change)

    assert_refused(account, {"sync_cognito": True}, named)
    assert_refused(account, REMAP, named, listed=True)


def test_a_pool_that_does_not_exist_is_refused_by_name(account: StagingAccount) -> None:
    name = account.function_name("list_cognito_users")
    before = account.clients.functions.get_function_configuration(FunctionName=name)
    variables = before["Environment"]["Variables"]
    changed = {"Variables": {**variables, "COGNITO_USER_POOL_ID": "us-east-1_Nowhere00"}}
    with function_changed(account, name, Environment=changed):
        assert_refused(account, REMAP, "us-east-1_Nowhere00")


def test_with_an_empty_layer_the_execution_fails(account: StagingAccount) -> None:
    # If the local AWS lent the Lambdas its own packages, the execution would succeed.
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("python/README", "empty")
    layer = account.clients.functions.publish_layer_version(
        LayerName="empty", Content={"ZipFile": content.getvalue()}
    )["LayerVersionArn"]
    for package in ("db_sync", "list_cognito_users"):
        document = SYNC if package == "db_sync" else REMAP
        with function_changed(account, account.function_name(package), Layers=[layer]):
            assert_refused(account, document, "No module named", error="Runtime.ImportModuleError")


def test_after_a_refusal_the_next_execution_works(account: StagingAccount) -> None:
    before = everything(account)
    with secret_text(account, account.staging_secret_arn, "{}"):
        assert_refused(account, SYNC)

    assert run(account, SYNC).status == "SUCCEEDED"
    assert everything(account) != before


def databases(account: StagingAccount) -> Iterator[tuple[Bookshop, str]]:
    """Return both databases, each with its secret's ARN."""
    yield account.production, account.production_secret_arn
    yield account.staging, account.staging_secret_arn
