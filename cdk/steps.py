"""What `make bootstrap` and `make destroy` need to know of cdk.json and of the account.

`python -m cdk.steps place ENVIRONMENT` prints the account and Region of the environment's stack in
CDK's form: aws://111122223333/eu-central-1. `python -m cdk.steps removal ENVIRONMENT` prints what
is left when the stack is deleted. If that cannot be found out, both print why, and exit with 1.
"""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from cdk.settings.load import SettingsError, choose_environment
from cdk.settings.model import Settings

CDK_JSON = Path(__file__).resolve().parent.parent / "cdk.json"


class StepError(Exception):
    """The step cannot be done; the message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Place:
    """An environment's stack, with its account and Region."""

    stack: str
    account: str
    region: str


def main(arguments: list[str]) -> int:
    """Run one of the two, and return the exit code."""
    step, environment = arguments
    try:
        text = json.loads(CDK_JSON.read_text())["context"]["environments"]
        name, settings = choose_environment(text, environment)
        print(STEPS[step](_place_of(name, settings), settings))
    except SettingsError as error:
        print(error.in_file("cdk.json"), file=sys.stderr)
        return 1
    except StepError as error:
        print(error, file=sys.stderr)
        return 1
    except (BotoCoreError, ClientError) as error:
        print(f"A request to AWS failed: {error}", file=sys.stderr)
        return 1
    return 0


def _place_of(name: str, settings: Settings) -> Place:
    """Return the place that the settings name, by default that of the credentials."""
    session = boto3.Session()
    region = settings.region or session.region_name
    if not region:
        raise StepError(
            "No Region is known: set region in cdk.json, or AWS_DEFAULT_REGION in the shell."
        )
    account = (
        settings.account
        or session.client("sts", region_name=region).get_caller_identity()["Account"]
    )
    return Place(f"staging-sync-{name}", account, region)


def _where(place: Place, _: Settings) -> str:
    return f"aws://{place.account}/{place.region}"


def _removal(place: Place, settings: Settings) -> str:
    """Return what is left when the stack is deleted.

    Raises:
        StepError: there is no such stack, or it is protected.
    """
    client = boto3.client("cloudformation", region_name=place.region)
    try:
        (stack,) = client.describe_stacks(StackName=place.stack)["Stacks"]
    except ClientError as error:
        if "does not exist" not in str(error):
            raise
        raise StepError(f"There is no stack {place.stack} in {place.region}.") from error
    if stack.get("EnableTerminationProtection"):
        raise StepError(
            f"{place.stack} is protected from deletion: set termination_protection to false in"
            " cdk.json, `make deploy`, and then remove it."
        )
    if settings.retain_data:
        return (
            "The bucket and the logs stay, since retain_data is true; the bucket's files expire"
            " within 30 days."
        )
    return "The logs go too, and the bucket if it is empty: otherwise empty it first."


STEPS: dict[str, Callable[[Place, Settings], str]] = {"place": _where, "removal": _removal}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
