"""What e2e tests do to a staging account, and undo."""

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Any, Literal

from sandbox.account import StagingAccount
from sandbox.comparison import Contents, contents
from sandbox.databases import MARK, NAME, ROLE, Database
from sandbox.execution import Execution, run

SAVED = f"{NAME}_saved"
TIMEOUT = 30  # seconds
SCHEDULE_FIELDS = ("Name", "ScheduleExpression", "FlexibleTimeWindow", "Target")


def save_databases(account: StagingAccount) -> None:
    """Keep a copy of both databases to go back to."""
    for database in (account.production, account.staging):
        _copy(database, NAME, SAVED)


def reset_databases(account: StagingAccount) -> None:
    """Put both databases back to what they were when they were saved."""
    for database in (account.production, account.staging):
        database.server.execute("postgres", f"DROP DATABASE {NAME} WITH (FORCE)")
        _copy(database, SAVED, NAME)
    account.staging.server.execute("postgres", f"ALTER DATABASE {NAME} OWNER TO {ROLE}")
    account.staging.server.execute("postgres", MARK)


def wait_until(holds: Callable[[], object], what: str) -> None:
    """Poll until something holds."""
    deadline = time.monotonic() + TIMEOUT
    while not holds():
        assert time.monotonic() < deadline, f"not within {TIMEOUT} s: {what}"
        time.sleep(0.02)


def everything(account: StagingAccount) -> Contents:
    """Return every row of staging, with its subs."""
    return contents(account.staging, with_subs=True)


def assert_refused(
    account: StagingAccount, document: object, *sentences: str, listed: bool = False
) -> Execution:
    """Run an execution that must fail with a cause that says all this, and touch nothing.

    Args:
        account: where.
        document: the execution's input.
        sentences: what the cause must say.
        listed: whether the pool was listed to S3 before that; else no file may be there.
    """
    before = everything(account)
    execution = run(account, document)
    assert execution.status == "FAILED"
    for sentence in sentences:
        assert sentence in execution.cause
    assert everything(account) == before
    found = {name.split("/")[0] for name in files(account, execution)}
    assert found == ({"cognito-users"} if listed else set())
    return execution


def files(account: StagingAccount, execution: Execution) -> list[str]:
    """Return the names of the files that an execution left in the exchange bucket."""
    prefix = f"executions/{execution.name}/"
    found = account.clients.s3.list_objects_v2(Bucket=account.bucket, Prefix=prefix)
    return [entry["Key"].removeprefix(prefix) for entry in found.get("Contents", [])]


def log_text(account: StagingAccount) -> str:
    """Return all that the Lambdas and the state machine have logged so far."""
    client = account.clients.logs
    return "\n".join(
        event["message"]
        for page in client.get_paginator("describe_log_groups").paginate()
        for group in page["logGroups"]
        for events in client.get_paginator("filter_log_events").paginate(
            logGroupName=group["logGroupName"]
        )
        for event in events["events"]
    )


@contextlib.contextmanager
def secret_text(account: StagingAccount, arn: str, text: str) -> Iterator[None]:
    """Let a secret hold something else for the length of a with statement."""
    client = account.clients.secrets
    before = client.get_secret_value(SecretId=arn)["SecretString"]
    client.put_secret_value(SecretId=arn, SecretString=text)
    try:
        yield
    finally:
        client.put_secret_value(SecretId=arn, SecretString=before)


@contextlib.contextmanager
def function_changed(account: StagingAccount, name: str, **changes: Any) -> Iterator[None]:
    """Let a Lambda be configured otherwise for the length of a with statement."""
    client = account.clients.functions
    found = client.get_function_configuration(FunctionName=name)
    before = {
        "Environment": {"Variables": found["Environment"]["Variables"]},
        "Layers": [layer["Arn"] for layer in found["Layers"]],
    }
    client.update_function_configuration(FunctionName=name, **changes)
    try:
        yield
    finally:
        client.update_function_configuration(FunctionName=name, **before)  # type: ignore[arg-type]  # two shapes in one dict


def disable_schedule(account: StagingAccount) -> None:
    """Keep the schedule from firing."""
    _update_schedule(account, "DISABLED")


@contextlib.contextmanager
def schedule_enabled(account: StagingAccount) -> Iterator[None]:
    """Let the schedule fire for the length of a with statement."""
    _update_schedule(account, "ENABLED")
    try:
        yield
    finally:
        disable_schedule(account)


def _update_schedule(account: StagingAccount, state: Literal["DISABLED", "ENABLED"]) -> None:
    client = account.clients.scheduler
    (found,) = client.list_schedules()["Schedules"]
    schedule = client.get_schedule(Name=found["Name"])
    kept: dict[str, Any] = {key: schedule[key] for key in SCHEDULE_FIELDS}  # type: ignore[literal-required]  # the names are a tuple's
    client.update_schedule(**kept, State=state)


def _copy(database: Database, existing: str, new: str) -> None:
    database.server.execute(
        "postgres", f"CREATE DATABASE {new} TEMPLATE {existing} STRATEGY file_copy"
    )
