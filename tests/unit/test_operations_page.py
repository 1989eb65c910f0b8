"""docs/operations.md covers every error, and its commands can be pasted."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from common.errors import StagingSyncError
from statemachine.board import DEFINITION
from tests.support.definition import all_states, tasks
from tests.support.pages import blocks, headings, read_page

PAGE = read_page("operations.md")
CLASSES: list[type[Exception]] = [StagingSyncError, *StagingSyncError.__subclasses__()]
ERRORS = [error.__name__ for error in CLASSES]
COMMANDS = blocks(PAGE, "bash")
MAKEFILE = (Path(__file__).parents[2] / "Makefile").read_text()


def anchor(heading: str) -> str:
    """Return the anchor of a heading, as GitHub and GitLab create it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def section(heading: str) -> str:
    (_, text) = PAGE.split(f"\n### {heading}\n")
    return re.split(r"^##", text, maxsplit=1, flags=re.MULTILINE)[0]


@pytest.mark.parametrize("error", ERRORS)
def test_every_error_has_a_section_that_says_what_happened_about_staging_and_what_to_do(
    error: str,
) -> None:
    text = section(error)

    for part in ("**What happened.**", "**Staging.**", "**Do.**", "```bash"):
        assert part in text


@pytest.mark.parametrize("error", ERRORS)
def test_every_error_has_a_line_in_the_table(error: str) -> None:
    assert f"\n| [`{error}`](#{anchor(error)}) |" in PAGE


def test_the_page_says_of_each_retried_error_how_often_it_is_tried_again() -> None:
    retried = {
        (error, retrier["MaxAttempts"])
        for state in all_states(json.loads(DEFINITION.read_text())).values()
        for retrier in state.get("Retry", [])
        for error in retrier["ErrorEquals"]
    }
    (_, text) = PAGE.split("\n## What is tried again\n")
    rows = re.findall(r"^\| (`.*) \| (\d+) \| ", text.split("\n## ")[0], re.MULTILINE)
    documented = {
        (error, int(times)) for errors, times in rows for error in re.findall(r"`(\S+)`", errors)
    }

    assert documented == retried


def test_every_link_within_the_page_leads_somewhere() -> None:
    wanted = set(re.findall(r"\]\(#([^)]+)\)", PAGE))

    assert wanted <= {anchor(heading) for heading in headings(PAGE)}


def test_a_redrive_is_explained_for_every_state_that_can_fail() -> None:
    rows = re.findall(r"^\| (\w+(?:, \w+)*) \|", section_of_redrive(), re.MULTILINE)
    explained = [name for row in rows for name in row.split(", ")]

    assert sorted(explained) == sorted(tasks(json.loads(DEFINITION.read_text())))


def section_of_redrive() -> str:
    return PAGE.split("## Redrive it")[1].split("\n## ")[0]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_one_that_a_shell_can_read(command: str) -> None:
    done = subprocess.run(
        ["bash", "-n"],  # noqa: S607
        input=command,
        check=False,
        capture_output=True,
        text=True,
    )

    assert (done.returncode, done.stderr) == (0, "")


def test_every_make_target_that_is_named_is_there() -> None:
    named = set(re.findall(r"^make ([a-z-]+)", "".join(COMMANDS), re.MULTILINE))

    assert named == {"start", "diff", "deploy"}
    assert named <= set(re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE))
