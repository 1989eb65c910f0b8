"""In China and in GovCloud, services and the console have other names."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.infra.synthesized import Synthesized, every_setting, synthesize

NAMES = [
    ("aws-cn", "cn-north-1", "amazonaws.com.cn", "console.amazonaws.cn"),
    ("aws-us-gov", "us-gov-west-1", "amazonaws.com", "console.amazonaws-us-gov.com"),
]


@pytest.fixture(scope="module", params=NAMES, ids=[names[0] for names in NAMES])
def elsewhere(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, empty_layer: Path
) -> tuple[Synthesized, str, str, str]:
    """The stack with every setting in another partition; its Region, its suffix, its console."""
    partition, region, suffix, console = request.param
    directory = tmp_path_factory.mktemp(partition)
    text = json.dumps(every_setting(directory, empty_layer))
    moved = text.replace("arn:aws:", f"arn:{partition}:").replace("eu-central-1", region)
    settings: dict[str, Any] = json.loads(moved)
    return synthesize(directory / "out", settings), region, suffix, console


def test_a_key_is_granted_by_the_dns_names_of_services_there(
    elsewhere: tuple[Synthesized, str, str, str],
) -> None:
    stack, region, suffix, _ = elsewhere
    policies = stack.paths("AWS::IAM::Policy")
    through = {
        condition["kms:ViaService"]
        for path, policy in policies.items()
        if path.startswith("Lambdas/")
        for statement in policy["PolicyDocument"]["Statement"]
        for condition in statement.get("Condition", {}).values()
        if "kms:ViaService" in condition
    }
    assert through == {f"s3.{region}.{suffix}", f"secretsmanager.{region}.{suffix}"}


def test_the_link_in_a_message_leads_to_the_console_there(
    elsewhere: tuple[Synthesized, str, str, str],
) -> None:
    stack, _, _, console = elsewhere
    for path, rule in stack.paths("AWS::Events::Rule").items():
        if path.startswith("Alarms/"):
            template = stack.text(rule["Targets"][0]["InputTransformer"]["InputTemplate"])
            assert f".{console}/states/home" in template
            assert f".{console}/s3/object/" in template
    assert f".{console}/states/home" in stack.variables("write_report")["EXECUTIONS_CONSOLE"]
    body = stack.text(stack.only("AWS::CloudWatch::Dashboard")["DashboardBody"])
    assert f".{console}/s3/object/" in body


def test_no_arn_names_the_other_partition(elsewhere: tuple[Synthesized, str, str, str]) -> None:
    stack, _, _, _ = elsewhere
    assert "arn:aws:" not in json.dumps(stack.template)
