"""StagingSync in another team's stack, twice and with other resources."""

import json
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, CfnOutput, Environment, Stack, Validations, aws_sns
from cdk_nag import AwsSolutionsChecks
from cfnlint.api import lint  # type: ignore[import-untyped]  # it ships no types

from cdk.settings.load import parse_settings
from cdk.staging_sync import StagingSync
from tests.infra.synthesized import Synthesized, every_setting


class Platform(Stack):
    """A team's stack, with two databases to refresh."""

    def __init__(self, app: App, settings: dict[str, Any], **stack: Any) -> None:
        super().__init__(app, "platform", **stack)
        self.template_options.metadata = {"cfn-lint": {"config": {"ignore_checks": ["W3005"]}}}
        aws_sns.Topic(self, "Elsewhere", display_name="Elsewhere", enforce_ssl=True)
        shop = StagingSync(self, "Shop", settings=parse_settings(settings, "shop"))
        StagingSync(self, "Crm", settings=parse_settings({**settings, "tags": {}}, "crm"))
        CfnOutput(self, "Machine", value=shop.state_machine.state_machine_arn)
        CfnOutput(self, "Bucket", value=shop.bucket.bucket_name)


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory, empty_layer: Path) -> Synthesized:
    directory = tmp_path_factory.mktemp("platform")
    app = App(
        outdir=str(directory / "out"),
        context={
            "aws:cdk:enable-path-metadata": True,
            "@aws-cdk/core:validationReportPrettyPrint": False,
        },
    )
    settings = {**every_setting(directory, empty_layer), "vpc_endpoints": False}
    del settings["route_table_ids"]
    place = Environment(account="111122223333", region="eu-central-1")
    stack = Platform(app, settings, env=place)
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    app.synth()
    template = json.loads((directory / "out" / stack.template_file).read_text())
    return Synthesized(template, directory / "out")


def test_cdk_nag_and_cfn_lint_find_nothing_in_it(platform: Synthesized) -> None:
    # The topic is the team's own, and has no key.
    found = [match for match in lint(json.dumps(platform.template)) if match.rule.id[0] == "E"]
    assert found == []


def test_two_of_them_in_one_stack_have_names_of_their_own(platform: Synthesized) -> None:
    machines = platform.resources("AWS::StepFunctions::StateMachine")
    names = {machine["StateMachineName"] for machine in machines}
    assert names == {"platform-Shop", "platform-Crm"}
    services = {
        function["Environment"]["Variables"]["POWERTOOLS_SERVICE_NAME"]
        for function in platform.resources("AWS::Lambda::Function")
    }
    assert services == names
    dashboards = platform.resources("AWS::CloudWatch::Dashboard")
    assert {board["DashboardName"] for board in dashboards} == {
        f"{name}-eu-central-1" for name in names
    }


def test_tags_and_boundary_are_on_all_of_it_and_on_nothing_else(platform: Synthesized) -> None:
    roles = platform.paths("AWS::IAM::Role")
    assert {path for path, role in roles.items() if "PermissionsBoundary" not in role} == set()
    tagged = {
        path.partition("/")[0]
        for kind in ("AWS::IAM::Role", "AWS::S3::Bucket", "AWS::SNS::Topic")
        for path, resource in platform.paths(kind).items()
        if {"Key": "team", "Value": "platform"} in resource.get("Tags", [])
    }
    assert tagged == {"Shop"}


def test_the_stack_can_name_the_machine_and_the_bucket_in_its_outputs(
    platform: Synthesized,
) -> None:
    outputs = {
        name: platform.text(output["Value"])
        for name, output in platform.template["Outputs"].items()
    }
    assert outputs == {
        "Machine": "<Shop/Workflow/StateMachine>",
        "Bucket": "<Shop/Exchange/Bucket>",
    }


def test_in_our_own_stack_resources_with_data_keep_their_logical_ids(full: Synthesized) -> None:
    """Another id would replace them in every installation: a new bucket, a name that is taken."""
    kept = {
        "AWS::S3::Bucket": {"ExchangeBucketACE697F0"},
        "AWS::StepFunctions::StateMachine": {"WorkflowStateMachine8F1B1C15"},
    }
    found = {
        kind: {
            name
            for name, resource in full.template["Resources"].items()
            if resource["Type"] == kind
        }
        for kind in kept
    }
    assert found == kept


def test_the_two_secrets_are_enough_for_it_too(
    tmp_path: Path, minimal_settings: dict[str, Any]
) -> None:
    stack = Stack(App(outdir=str(tmp_path / "out")), "theirs")
    settings = parse_settings(minimal_settings, "theirs")

    assert StagingSync(stack, "StagingSync", settings=settings).name == "theirs-StagingSync"
