"""The parts of docs/deployment.md without commands: policies for another account, and costs."""

import json
import re
from typing import Any

import pytest
from cfnlint.api import lint  # type: ignore[import-untyped]  # it ships no types

from tests.e2e.guide import GUIDE, guide_blocks
from tests.infra.synthesized import Synthesized
from tests.infra.test_permissions import permissions_by_role
from tests.support.pages import read_page

ROLE = "Lambdas/DbSync/Role"
ADMINISTRATION = {
    "Effect": "Allow",
    "Principal": {"AWS": "arn:aws:iam::444455556666:root"},
    "Action": "kms:*",
    "Resource": "*",
}


def policy(label: str) -> dict[str, Any]:
    """Return the JSON block of that label."""
    (text,) = (block.text for block in guide_blocks() if block.label == label)
    found: dict[str, Any] = json.loads(text)
    return found


def test_cloudformation_s_schemas_accept_the_policies_for_another_account() -> None:
    secret = {"SecretId": "staging-sync/production", "ResourcePolicy": policy("secret-policy")}
    statements = [ADMINISTRATION, policy("key-policy")]
    key = {"KeyPolicy": {"Version": "2012-10-17", "Statement": statements}}
    template = {
        "Resources": {
            "Secret": {"Type": "AWS::SecretsManager::ResourcePolicy", "Properties": secret},
            "Key": {"Type": "AWS::KMS::Key", "Properties": key},
        }
    }
    assert [match.rule.id for match in lint(json.dumps(template)) if match.rule.id[0] == "E"] == []


def test_the_policies_for_another_account_allow_what_db_sync_s_role_requests(
    everything: Synthesized,
) -> None:
    (statement,) = policy("secret-policy")["Statement"]
    key_statement = policy("key-policy")
    (logical_id,) = (
        name
        for name, resource in everything.template["Resources"].items()
        if resource.get("Metadata", {}).get("aws:cdk:path", "").endswith(f"/{ROLE}/Resource")
    )
    for allowed in (statement, key_statement):
        pattern = allowed["Condition"]["ArnLike"]["aws:PrincipalArn"].rpartition("/")[2]
        # CloudFormation names it after stack and logical id, with a random suffix.
        assert pattern.endswith("*")
        assert f"staging-sync-staging-{logical_id}-".startswith(pattern.removesuffix("*"))
    permissions = permissions_by_role(everything)[ROLE]
    production = [entry for entry in permissions if "444455556666" in str(entry[1:])]
    assert (statement["Action"],) in {entry[:1] for entry in production}
    # The role itself may use the key on these conditions only.
    asked = {entry[2:] for entry in production if entry[0] == key_statement["Action"]}
    keys = {tuple(condition.partition("=")[0] for condition in entry) for entry in asked}
    assert keys == {tuple(sorted(key_statement["Condition"]["StringEquals"]))}
    assert statement["Principal"] == key_statement["Principal"]


def test_the_costs_add_up() -> None:
    lines = read_page(GUIDE).splitlines()
    begin = lines.index("| what | calculation | $ a month |") + 2
    *parts, total = (
        float(line.strip("| *").rpartition("|")[2].strip(" *"))
        for line in lines[begin : lines.index("", begin)]
    )
    assert round(sum(parts), 2) == total


@pytest.mark.parametrize(("gigabytes", "dollars"), [(10, 15.70), (100, 157.00)])
def test_what_aurora_charges_for_reading_is_calculated_right(
    gigabytes: int, dollars: float
) -> None:
    pages = gigabytes * 2**30 / 8192
    monthly = 2 * pages * 30 * 0.20 / 1_000_000

    assert round(monthly, 0) == round(dollars, 0)
    assert f"| {gigabytes} GB |" in read_page(GUIDE)
    assert f"| {dollars:.2f} |" in read_page(GUIDE)


def test_every_heading_that_the_guide_links_to_exists() -> None:
    text = read_page(GUIDE)
    anchors = {
        re.sub(r"[^\w -]", "", line.lstrip("# ")).lower().replace(" ", "-")
        for line in text.splitlines()
        if line.startswith("#")
    }
    assert set(re.findall(r"\]\(#([^)]+)\)", text)) <= anchors
