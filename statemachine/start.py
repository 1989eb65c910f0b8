"""`python -m statemachine.start ENVIRONMENT [INPUT]`: starts the deployed workflow and follows it.

It uses the account, Region and credentials that the AWS command line would use; `make up` prints
what to export for the sandbox. Exits 0 when the execution succeeded, 1 when it failed, timed out or
was aborted, 2 for a wrong call, and 130 after Ctrl-C, which leaves the execution running.
"""

import argparse
import json
import math
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from cdk.settings.arns import console_of_executions, partition_of
from common.errors import InvalidInput
from common.event import parse_execution_input
from statemachine.board import follow, table
from statemachine.execution import Execution, start
from statemachine.page import NoPageError, address_of_page, save_page, wait_for_page

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_stepfunctions import SFNClient

SUCCEEDED, NOT_SUCCEEDED, WRONG_CALL, INTERRUPTED = 0, 1, 2, 130
POLL_ON_AWS = 1.0  # seconds
PAGE_TIMEOUT = 30.0  # seconds
CDK_JSON = Path(__file__).resolve().parent.parent / "cdk.json"


class WrongCallError(Exception):
    """Nothing was started; the message says why."""


@dataclass(frozen=True, slots=True)
class DeployedWorkflow:
    """The state machine of a stack, and where it leaves its files."""

    states: "SFNClient"
    state_machine_arn: str
    s3: "S3Client"
    bucket: str


def main(arguments: list[str] | None = None, *, poll: float = POLL_ON_AWS) -> int:
    """Run the command, which asks every `poll` seconds; return its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m statemachine.start",
        description="Start the deployed workflow and follow it.",
    )
    parser.add_argument("environment", help="a deployed environment of cdk.json, like staging")
    parser.add_argument("input", nargs="?", default="{}", help="the execution's input, as JSON")
    call = parser.parse_args(arguments)
    # Lines are not wrapped, so that they can be copied.
    console = Console(highlight=False, markup=False, soft_wrap=True)
    try:
        document = parse_input(call.input)
        with aws_refusals():
            workflow = find_workflow(call.environment)
            arn = start(workflow, document)
    except WrongCallError as error:
        Console(stderr=True, highlight=False, markup=False, soft_wrap=True).print(error)
        return WRONG_CALL
    _announce(console, arn)
    return _follow(console, workflow, arn, poll)


def parse_input(text: str) -> dict[str, Any]:
    """Return an execution's input.

    Raises:
        WrongCallError: it is not JSON, or the workflow does not accept it.
    """
    try:
        document = json.loads(text)
        parse_execution_input(document)
    except ValueError as error:
        raise WrongCallError(f"The input is not JSON: {error}. It was: {text}") from error
    except InvalidInput as error:
        raise WrongCallError(str(error)) from error
    result: dict[str, Any] = document
    return result


def find_workflow(environment: str) -> DeployedWorkflow:
    """Return the workflow of an environment's stack.

    Raises:
        WrongCallError: there is no such stack in the account and Region, or it is incomplete.
        BotoCoreError, ClientError: AWS cannot be reached, or refuses.
    """
    client: CloudFormationClient = boto3.client("cloudformation")
    name = f"staging-sync-{environment}"
    try:
        (stack,) = client.describe_stacks(StackName=name)["Stacks"]
    except ClientError as error:
        if "does not exist" not in str(error):
            raise
        known = ", ".join(json.loads(CDK_JSON.read_text())["context"]["environments"])
        raise WrongCallError(
            f"There is no stack {name} in {client.meta.region_name}. cdk.json has {known}; `make"
            f" deploy ENV={environment}` deploys one. AWS_PROFILE and AWS_DEFAULT_REGION choose"
            " account and Region."
        ) from error
    outputs = {each["OutputKey"]: each["OutputValue"] for each in stack.get("Outputs", [])}
    if not {"StateMachineArn", "ExchangeBucketName"} <= outputs.keys():
        raise WrongCallError(f"The stack {name} is {stack['StackStatus']}: deploy it first.")
    return DeployedWorkflow(
        boto3.client("stepfunctions"),
        outputs["StateMachineArn"],
        boto3.client("s3"),
        outputs["ExchangeBucketName"],
    )


@contextmanager
def aws_refusals() -> Iterator[None]:
    """Report AWS's errors before anything is started.

    Raises:
        WrongCallError: a call failed.
    """
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise WrongCallError(f"AWS refused, and nothing was started: {error}") from error


def _announce(console: Console, arn: str) -> None:
    console.print(f"Started {arn}")
    if "AWS_ENDPOINT_URL" not in os.environ:
        region = arn.split(":")[3]
        console.print(f"{console_of_executions(region, partition_of(arn))}{arn}")


def _follow(console: Console, workflow: DeployedWorkflow, arn: str, poll: float) -> int:
    try:
        # The state machine has its own timeout.
        ended = follow(console, workflow, arn, poll=poll, timeout=math.inf)
    except KeyboardInterrupt:
        _say_how_to_continue(console, "No longer following", arn)
        return INTERRUPTED
    except (BotoCoreError, ClientError) as error:
        _say_how_to_continue(console, f"Cannot follow the execution: {error}", arn)
        return NOT_SUCCEEDED
    _show(console, ended)
    _save_page(console, workflow, ended)
    return SUCCEEDED if ended.status == "SUCCEEDED" else NOT_SUCCEEDED


def _say_how_to_continue(console: Console, reason: str, arn: str) -> None:
    console.print(
        f"{reason}; the execution continues.\n"
        f"See it:  aws stepfunctions describe-execution --execution-arn {arn}\n"
        f"Stop it: aws stepfunctions stop-execution --execution-arn {arn}\n"
        "A running Lambda continues even then; docs/operations.md says how to end it."
    )


def _show(console: Console, ended: Execution) -> None:
    """Print how it ended: the counts as a table, then warnings and reports in full."""
    console.print(f"{ended.status} after {ended.seconds:.1f} s")
    if ended.status != "SUCCEEDED":
        console.print(f"{ended.error or 'No error name'}: {ended.cause or 'no cause was given'}")
        console.print("What to do: docs/operations.md")
    rows = [
        (step, what, _text(value))
        for step, result in ended.output.items()
        for key, each in result.items()
        if key not in {"warnings", "report"}
        for what, value in _named(key.replace("_", " "), each)
    ]
    if rows:
        console.print(table(("step", "what", "result "), rows))
    for step, result in ended.output.items():
        for warning in result["warnings"]:
            console.print(f"warning: {step}: {warning}")
    for step, result in ended.output.items():
        console.print(f"report: {step}: {result['report']}")


def _save_page(console: Console, workflow: DeployedWorkflow, ended: Execution) -> None:
    """Save the page of an execution and print where it is; what has happened is shown already."""
    address = address_of_page(workflow.bucket, ended.name)
    try:
        with console.status("Waiting for the report"):
            page = wait_for_page(workflow.s3, workflow.bucket, ended.name, timeout=PAGE_TIMEOUT)
        console.print(f"page: {save_page(page, ended.name)}")
    except KeyboardInterrupt:
        console.print(f"page: {address}, which is written soon")
    except (NoPageError, OSError) as error:
        console.print(f"page: {address}, which could not be fetched: {error}")


def _named(what: str, value: object) -> list[tuple[str, object]]:
    """Return a value with its name; counts by names, as of followers, one by one."""
    if isinstance(value, dict):
        return [(f"{what}: {name}", count) for name, count in value.items()]
    return [(what, value)]


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}" if isinstance(value, int | float) else str(value)


if __name__ == "__main__":
    sys.exit(main())
