"""cdk/permissions.toml lists every permission of every role, what grants it and what needs it."""

import re

import pytest

from cdk.permissions import Permission, read_permissions
from tests.infra.synthesized import ROOT, Synthesized
from tests.infra.test_permissions import permissions_by_role

SERVICES = {"Lambda", "Step Functions", "Scheduler"}  # that use a role for our code
ROLES = {
    "Lambdas/DbSync/Role": "DbSync",
    "Lambdas/ListCognitoUsers/Role": "ListCognitoUsers",
    "Lambdas/UpdateDb/Role": "UpdateDb",
    "Lambdas/WriteReport/Role": "WriteReport",
    "Workflow/StateMachine/Role": "state machine",
}
# A permission's resource or a condition's value, and the words for it.
WORDS = (
    (r"<Exchange/Bucket\.Arn>/(.+)", r"`\1` in the bucket"),
    (r"<Exchange/Bucket\.Arn>", "the bucket"),
    (r"<Lambdas/(\w+)/Logs\.Arn>", r"its log group"),
    (r"<Lambdas/(\w+)/Function\.Arn>", r"\1"),
    (r"<Workflow/StateMachine>", "the state machine"),
    (r"<Schedule/DeadLetters\.Arn>", "its dead-letter queue"),
    (r"arn:.*:userpool/.*", "the user pool"),
    (r"arn:.*:stateMachine:.*", "the state machine"),
    (r"arn:.*:execution:.*/SyncParts:\*", "its parts' executions"),
    (r"arn:.*:execution:.*", "its executions"),
    (r"executions/\*/parts/\*", "`executions/*/parts/*`"),
    (r"executions/\*", "`executions/*`"),
    (r"arn:.*:logs:.*", "log delivery"),
    (r"arn:.*:secret:.*mask-key-.*", "the mask key's secret"),
    (r"arn:.*:secret:.*prod-.*", "production's secret"),
    (r"arn:.*:secret:.*staging-.*", "staging's secret"),
    (r"arn:.*:key/customer", "the customer managed key"),
    (r"arn:.*:key/.*", "the secrets' keys"),
    (r"arn:.*:dbuser:.*", "the database's user"),
    (r"arn:.*:role/.*", "the role of production's account"),
    (r"\*", "everything"),
)


def called(text: str) -> str:
    """Return a resource in words."""
    for pattern, word in WORDS:
        if re.fullmatch(pattern, text):
            return re.sub(pattern, word, text, count=1)
    raise AssertionError(f"the list has no word for {text}")


def in_words(stack: Synthesized) -> set[tuple[str, str, str]]:
    """Return each role's action and what it is on, as the list says it."""
    return {
        (
            ROLES.get(path, "schedule"),
            action,
            ", for ".join([called(resource), *restricted_to(conditions)]),
        )
        for path, permissions in permissions_by_role(stack).items()
        for action, resource, *conditions in permissions
    }


def restricted_to(conditions: list[str]) -> list[str]:
    """Return what the conditions restrict a permission to, without the service that they name."""
    values = [
        condition.partition("=")[2] for condition in conditions if "ViaService" not in condition
    ]
    return [called(value) for value in values]


def test_the_list_is_exactly_what_the_roles_may_do(
    full: Synthesized, everything: Synthesized, by_iam: Synthesized
) -> None:
    listed = [
        (permission.role, action, resource)
        for permission in read_permissions()
        for action in permission.actions
        for resource in permission.resources
    ]
    assert len(listed) == len(set(listed))
    assert set(listed) == in_words(full) | in_words(everything) | in_words(by_iam)


@pytest.mark.parametrize(
    "permission", read_permissions(), ids=lambda permission: " ".join(permission.cells[:2])
)
def test_what_grants_a_permission_and_what_needs_it_are_where_the_list_says(
    permission: Permission,
) -> None:
    assert permission.needed_by or permission.service in SERVICES
    for source in (permission.granted_in, *permission.needed_by):
        assert source.text in (ROOT / source.file).read_text(), f"{source} is not there"
