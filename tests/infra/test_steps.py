"""What `make bootstrap` and `make destroy` do before they run CDK."""

import json
import re
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from moto import mock_aws

from cdk import steps
from tests.infra.synthesized import ROOT, SECRETS
from tests.support.pages import DOCS

STACK = "staging-sync-staging"


@pytest.fixture(autouse=True)
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_DEFAULT_REGION", "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)
    with mock_aws():
        yield


@pytest.fixture
def configured(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The settings of cdk.json's environment "staging", which a test may change."""
    settings: dict[str, Any] = dict(SECRETS)

    class File:
        @staticmethod
        def read_text() -> str:
            return json.dumps({"context": {"environments": {"staging": settings}}})

    monkeypatch.setattr(steps, "CDK_JSON", File)
    return settings


@pytest.fixture
def cloudformation(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stubber]:
    """CloudFormation in eu-central-1, with botocore's own checks of requests and responses."""
    client = boto3.client("cloudformation", region_name="eu-central-1")

    def the_one(_: str, *, region_name: str) -> Any:
        assert region_name == "eu-central-1"
        return client

    monkeypatch.setattr(boto3, "client", the_one)
    with Stubber(client) as stubbed:
        yield stubbed


def deployed(*, is_protected: bool) -> dict[str, Any]:
    stack = {
        "StackName": STACK,
        "StackStatus": "CREATE_COMPLETE",
        "CreationTime": datetime.now(UTC),
        "EnableTerminationProtection": is_protected,
    }
    return {"Stacks": [stack]}


def test_the_place_is_that_of_the_settings(
    configured: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    configured |= {"account": "111122223333", "region": "eu-central-1"}

    assert steps.main(["place", "staging"]) == 0

    assert capsys.readouterr().out == "aws://111122223333/eu-central-1\n"


@pytest.mark.usefixtures("configured")
def test_without_settings_the_place_is_that_of_the_credentials(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")

    assert steps.main(["place", "staging"]) == 0

    assert capsys.readouterr().out == "aws://123456789012/eu-west-1\n"


@pytest.mark.usefixtures("configured")
def test_without_a_known_region_the_error_says_how_to_set_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert steps.main(["place", "staging"]) == 1

    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("No Region is known: set region in cdk.json, or AWS_DEFAULT_REGION")


@pytest.mark.usefixtures("configured")
@pytest.mark.parametrize("step", steps.STEPS)
def test_an_environment_that_cdk_json_lacks_is_named(
    step: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert steps.main([step, "prod"]) == 1

    assert capsys.readouterr().err.startswith('cdk.json: environment: "prod" is not one of staging')


def test_a_protected_stack_is_not_deleted_and_the_error_says_how_it_can_be(
    configured: dict[str, Any], cloudformation: Stubber, capsys: pytest.CaptureFixture[str]
) -> None:
    configured["region"] = "eu-central-1"
    cloudformation.add_response(
        "describe_stacks", deployed(is_protected=True), {"StackName": STACK}
    )

    assert steps.main(["removal", "staging"]) == 1

    said = capsys.readouterr().err
    assert said.startswith(f"{STACK} is protected from deletion: set termination_protection to")


@pytest.mark.parametrize(
    ("retained", "sentence"), [(True, "The bucket and the logs stay"), (False, "The logs go too")]
)
def test_a_removal_says_what_is_left(
    configured: dict[str, Any],
    cloudformation: Stubber,
    capsys: pytest.CaptureFixture[str],
    retained: bool,
    sentence: str,
) -> None:
    configured |= {"region": "eu-central-1", "retain_data": retained}
    cloudformation.add_response("describe_stacks", deployed(is_protected=False))

    assert steps.main(["removal", "staging"]) == 0

    assert capsys.readouterr().out.startswith(sentence)


def test_a_stack_that_does_not_exist_is_named(
    configured: dict[str, Any], cloudformation: Stubber, capsys: pytest.CaptureFixture[str]
) -> None:
    configured["region"] = "eu-central-1"
    cloudformation.add_client_error(
        "describe_stacks", "ValidationError", f"Stack with id {STACK} does not exist"
    )

    assert steps.main(["removal", "staging"]) == 1

    assert capsys.readouterr().err == f"There is no stack {STACK} in eu-central-1.\n"


def plan(*arguments: str) -> str:
    """Return what make would run."""
    done = subprocess.run(  # noqa: S603 - it runs nothing
        ["make", "--no-print-directory", "--dry-run", *arguments],  # noqa: S607
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


@pytest.mark.parametrize(
    ("target", "command"),
    [
        ("bootstrap", 'bootstrap "$place"'),
        ("deploy", 'deploy --context "environment=$ENV"'),
        ("diff", 'diff --context "environment=$ENV"'),
        ("drift", 'drift --context "environment=$ENV"'),
        ("destroy", 'destroy --context "environment=$ENV"'),
    ],
)
def test_each_step_has_a_target_that_runs_the_pinned_cdk(target: str, command: str) -> None:
    assert re.search(rf"npx --yes aws-cdk@\d\S+ {re.escape(command)}", plan(target))


def test_one_file_names_the_version_of_cdk_s_command_line() -> None:
    listed = subprocess.run(
        ["git", "grep", "-lE", r"aws-cdk@[0-9]"],  # noqa: S607
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    ).stdout.split()

    assert listed == ["Makefile"]


def test_no_page_puts_our_programs_before_the_user_s_own() -> None:
    pages = [ROOT / "README.md", *DOCS.glob("*.md")]

    assert [page.name for page in pages if "export PATH" in page.read_text()] == []
