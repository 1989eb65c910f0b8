"""docs/security.md lists every permission of every role, who grants it and what needs it."""

import re
from dataclasses import dataclass

import pytest

from tests.infra.synthesized import ROOT, Synthesized
from tests.infra.test_permissions import permissions_by_role

DOCUMENT = ROOT / "docs" / "security.md"
HEADER = "| role | may | on | granted in | needed by |"
ROLES = {
    "Lambdas/DbSync/Role": "DbSync",
    "Lambdas/ListCognitoUsers/Role": "ListCognitoUsers",
    "Lambdas/UpdateDb/Role": "UpdateDb",
    "Workflow/StateMachine/Role": "state machine",
}
# A permission's resource or a condition's value, and how a reader calls it.
WORDS = (
    (r"<Exchange/Bucket\.Arn>/(.+)", r"`\1` in the bucket"),
    (r"<Exchange/Bucket\.Arn>", "the bucket"),
    (r"<Lambdas/(\w+)/Logs\.Arn>", r"its log group"),
    (r"<Lambdas/(\w+)/Function\.Arn>", r"\1"),
    (r"<Workflow/StateMachine>", "the state machine"),
    (r"<Schedule/DeadLetters\.Arn>", "its dead-letter queue"),
    (r"arn:.*:userpool/.*", "the user pool"),
    (r"arn:.*:stateMachine:.*", "the state machine"),
    (r"arn:.*:logs:.*", "log delivery"),
    (r"arn:.*:secret:.*prod-.*", "production's secret"),
    (r"arn:.*:secret:.*staging-.*", "staging's secret"),
    (r"arn:.*:key/customer", "the customer key"),
    (r"arn:.*:key/.*", "the secrets' keys"),
    (r"arn:.*:dbuser:.*", "the database's user"),
    (r"arn:.*:role/.*", "the role of production's account"),
    (r"\*", "everything"),
)
QUOTED = re.compile(r"`([\w/.]+)`: `([^`]+)`")


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the document's table."""

    role: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    granted_in: str
    needed_by: str


def rows() -> list[Row]:
    lines = DOCUMENT.read_text().splitlines()
    begin = lines.index(HEADER) + 2
    found = []
    for line in lines[begin:]:
        if not line.startswith("|"):
            break
        role, may, on, granted, needed = (cell.strip() for cell in line.strip("|").split(" | "))
        found.append(
            Row(role, tuple(re.findall(r"`([^`]+)`", may)), tuple(on.split("; ")), granted, needed)
        )
    return found


def called(text: str) -> str:
    """Return how a reader calls a resource."""
    for pattern, word in WORDS:
        if re.fullmatch(pattern, text):
            return re.sub(pattern, word, text, count=1)
    raise AssertionError(f"security.md has no word for {text}")


def in_words(stack: Synthesized) -> set[tuple[str, str, str]]:
    """Return each role's action and what it is on, as the document says it."""
    return {
        (ROLES.get(path, "schedule"), action, ", for ".join([called(resource), *bound(conditions)]))
        for path, permissions in permissions_by_role(stack).items()
        for action, resource, *conditions in permissions
    }


def bound(conditions: list[str]) -> list[str]:
    """Return what the conditions bind a permission to, but for the service that they name."""
    values = [
        condition.partition("=")[2] for condition in conditions if "ViaService" not in condition
    ]
    return [called(value) for value in values]


def test_the_document_lists_exactly_the_permissions_that_the_roles_have(
    full: Synthesized, everything: Synthesized, by_iam: Synthesized
) -> None:
    listed = [
        (row.role, action, resource)
        for row in rows()
        for action in row.actions
        for resource in row.resources
    ]
    assert len(listed) == len(set(listed))
    assert set(listed) == in_words(full) | in_words(everything) | in_words(by_iam)


@pytest.mark.parametrize("row", rows(), ids=lambda row: f"{row.role} {row.actions[0]}")
def test_what_grants_a_permission_and_what_needs_it_stand_where_the_document_says(row: Row) -> None:
    granted, needed = QUOTED.findall(row.granted_in), QUOTED.findall(row.needed_by)
    assert granted
    assert needed or re.search(r"\*(Lambda|Step Functions|Scheduler)\*", row.needed_by)
    for file, text in granted + needed:
        assert text in (ROOT / file).read_text(), f"{file} does not hold {text}"
