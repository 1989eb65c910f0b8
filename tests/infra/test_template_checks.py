"""cdk-nag and cfn-lint find nothing in our templates, and something in wrong ones."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, aws_s3
from cfnlint.api import lint  # type: ignore[import-untyped]  # it ships no types

from cdk.app import add_stack
from tests.infra.synthesized import Synthesized

STACKS = ["bare", "full", "everything", "by_iam"]


@pytest.fixture(params=STACKS)
def stack(request: pytest.FixtureRequest) -> Synthesized:
    synthesized: Synthesized = request.getfixturevalue(request.param)
    return synthesized


def test_cdk_nag_finds_a_bucket_that_is_not_protected(
    tmp_path: Path, minimal_settings: dict[str, Any]
) -> None:
    app = App(
        outdir=str(tmp_path / "out"),
        context={
            "environments": {"staging": minimal_settings},
            "@aws-cdk/core:validationReportPrettyPrint": False,
        },
    )
    aws_s3.Bucket(add_stack(app), "Unprotected")
    with pytest.raises(RuntimeError) as refusal:
        app.synth()
    found = re.compile(r"staging-sync-staging/(\S+).*?'AwsSolutions::(\S+)'", re.DOTALL)
    # Only the bucket is found, and nothing of ours.
    assert found.findall(str(refusal.value)) == [
        ("Unprotected/Resource", "AwsSolutions-S1"),
        ("Unprotected/Resource", "AwsSolutions-S10"),
    ]


def test_cdk_itself_warns_of_nothing(stack: Synthesized) -> None:
    written = [path.read_text() for path in stack.assembly.glob("*.json")]
    assert any("aws:cdk:path" in text for text in written)
    assert not [text for text in written if "aws:cdk:warning" in text]


def test_cfn_lint_finds_nothing(stack: Synthesized) -> None:
    assert [str(match) for match in lint(json.dumps(stack.template))] == []


def test_cfn_lint_would_find_something(bare: Synthesized) -> None:
    template = json.loads(json.dumps(bare.template))
    for resource in template["Resources"].values():
        resource["Properties"]["Misspelt"] = True
    assert {match.rule.id for match in lint(json.dumps(template))} >= {"E3002"}
