"""What the end-to-end tests change in a staging account, and how they undo it."""

import contextlib
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import psutil

from sandbox.account import StagingAccount
from sandbox.bookshop.comparison import Contents, contents
from sandbox.bookshop.databases import NAME, ROLE
from sandbox.bookshop.people import PEOPLE, Outcome
from sandbox.database import Database
from statemachine.execution import Execution, run
from tests.support.waiting import TIMEOUT, wait_until
from write_report.history import PAGE

# The inputs of an execution: only sync, only remap, both.
SYNC: dict[str, bool] = {}
REMAP = {"cognito_only": True}
RELINK = {"sync_cognito": True}
LINKED = {person.name for person in PEOPLE if person.outcome is Outcome.LINKED}
# Too rare to fire during a test; the schedule's own test shortens it.
SCHEDULE = "rate(1 hour)"
SAVED = f"{NAME}_saved"


def save_databases(account: StagingAccount) -> None:
    """Copy both databases, so that they can be reset."""
    for database in (account.production, account.staging):
        _copy(database, NAME, SAVED)


def reset_databases(account: StagingAccount) -> None:
    """Reset both databases to their saved copies."""
    for database in (account.production, account.staging):
        database.server.execute("postgres", f"DROP DATABASE {NAME} WITH (FORCE)")
        _copy(database, SAVED, NAME)
    account.staging.server.execute("postgres", f"ALTER DATABASE {NAME} OWNER TO {ROLE}")
    account.staging.mark()


def wait_during(
    account: StagingAccount,
    arn: str,
    holds: Callable[[], object],
    what: str,
    *,
    seconds: float = TIMEOUT,
) -> None:
    """Poll until something holds that an execution does before it ends."""

    def holds_or_has_ended() -> object:
        # Read first: if the execution has ended by now, what it did is visible below.
        execution = account.clients.states.describe_execution(executionArn=arn)
        found, status = holds(), execution["status"]
        ended = f"the execution is {status} before {what}: {execution.get('cause')}"
        assert found or status == "RUNNING", ended
        return found

    wait_until(holds_or_has_ended, what, seconds=seconds)


def kill_lambdas(account: StagingAccount, function: str = "") -> int:
    """Kill the processes in which the local AWS runs a Lambda, or any Lambda; return how many.

    A process serves one call at a time and is kept for the next one. After two calls at once there
    are two of them: which one is busy cannot be seen, and killing an idle one does no harm.
    """
    folder, killed = f"ministack-lambda-{function}", 0
    for process in psutil.Process(account.cloud.process_id).children(recursive=True):
        with contextlib.suppress(psutil.Error):  # it has ended meanwhile
            if folder in " ".join(process.cmdline()):
                process.kill()
                killed += 1
    return killed


def end_executions(account: StagingAccount) -> None:
    """End the executions that a failed test left running, so that nothing writes any more.

    Stopping an execution does not stop its Lambdas, but none begins any more.
    """
    states = account.clients.states
    running = states.list_executions(
        stateMachineArn=account.state_machine_arn, statusFilter="RUNNING"
    )["executions"]
    for execution in running:
        states.stop_execution(executionArn=execution["executionArn"])
    if running:
        kill_lambdas(account)


def everything(account: StagingAccount) -> Contents:
    """Return every row of staging, with its subs."""
    return contents(account.staging, with_subs=True)


def assert_refused(
    account: StagingAccount,
    document: object,
    *sentences: str,
    error: str = "ConfigurationError",
    listed: bool = False,
) -> Execution:
    """Run an execution that must fail with a cause that contains all this, and change nothing.

    Args:
        account: the staging account.
        document: the execution's input.
        sentences: what the cause must contain.
        error: the name that the error must have.
        listed: whether the pool was listed to S3 before; otherwise the only file may be the report
            of the step that failed.
    """
    before = everything(account)
    execution = run(account, document)
    assert (execution.status, execution.error) == ("FAILED", error)
    for sentence in sentences:
        assert sentence in execution.cause
    assert everything(account) == before
    found = {name.split("/")[0] for name in files(account, execution)}
    reports = {"db-sync.json", "cognito-mapping.json"}
    assert found - reports == ({"cognito-users"} if listed else set())
    return execution


def files(account: StagingAccount, execution: Execution) -> list[str]:
    """Return the names of the files that an execution left in the exchange bucket.

    Without its page, which another Lambda writes when the execution has ended.
    """
    prefix = f"executions/{execution.name}/"
    found = account.clients.s3.list_objects_v2(Bucket=account.bucket, Prefix=prefix)
    names = [entry["Key"].removeprefix(prefix) for entry in found.get("Contents", [])]
    return [name for name in names if name != PAGE]


def log_text(account: StagingAccount, since: datetime, of: str = "") -> str:
    """Return what all Lambdas and the state machine, or one of them, have logged since then."""
    client = account.clients.logs
    return "\n".join(
        event["message"]
        for page in client.get_paginator("describe_log_groups").paginate()
        for group in page["logGroups"]
        if of in group["logGroupName"]
        for events in client.get_paginator("filter_log_events").paginate(
            logGroupName=group["logGroupName"], startTime=int(since.timestamp() * 1000)
        )
        for event in events["events"]
    )


@contextlib.contextmanager
def secret_text(account: StagingAccount, arn: str, text: str) -> Iterator[None]:
    """Change a secret's text for the length of a with statement."""
    client = account.clients.secrets
    before = client.get_secret_value(SecretId=arn)["SecretString"]
    client.put_secret_value(SecretId=arn, SecretString=text)
    try:
        yield
    finally:
        client.put_secret_value(SecretId=arn, SecretString=before)


@contextlib.contextmanager
def function_changed(account: StagingAccount, name: str, **changes: Any) -> Iterator[None]:
    """Change a Lambda's configuration for the length of a with statement."""
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


@contextlib.contextmanager
def schedule_fires_soon(account: StagingAccount) -> Iterator[None]:
    """Make the schedule fire every minute for the length of a with statement.

    The local AWS counts the first minute from the schedule's creation.
    """
    client = account.clients.scheduler
    (found,) = client.list_schedules()["Schedules"]
    schedule = client.get_schedule(Name=found["Name"])
    assert schedule["ScheduleExpression"] == SCHEDULE

    def update(expression: str) -> None:
        client.update_schedule(
            Name=schedule["Name"],
            ScheduleExpression=expression,
            FlexibleTimeWindow=schedule["FlexibleTimeWindow"],
            Target=schedule["Target"],
        )

    update("rate(1 minute)")
    try:
        yield
    finally:
        update(SCHEDULE)


def _copy(database: Database, existing: str, new: str) -> None:
    database.server.execute(
        "postgres", f"CREATE DATABASE {new} TEMPLATE {existing} STRATEGY file_copy"
    )
