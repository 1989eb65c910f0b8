"""A pool that needs several invocations to list: the real Lambdas in the real workflow."""

import functools
import json
from collections.abc import Iterator
from typing import Any

import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext

from common.entry import entry_point
from list_cognito_users.handler import SECONDS_TO_SAVE, list_pool
from list_cognito_users.handler import handler as list_users
from list_cognito_users.tuning import Tuning
from tests.statemachine.lambdas import Lambdas, NamedError
from tests.statemachine.staging import USERS, Staging
from tests.statemachine.workflow import Outcome, Workflow
from tests.support.cognito_server import serving
from tests.support.cognito_service import INTERNAL_ERROR, POOL_ID, CognitoService
from tests.support.cognito_users import GeneratedUsers
from tests.support.lambda_context import FakeContext

POOL = GeneratedUsers(64, varied=False)
PAGES = 1 + 16 * 2  # one page of two users, and two for each digit


class Killed(BaseException):
    """The Lambda service kills the process."""


def brief_context(
    service: CognitoService, requests: int, *, is_killed: bool = False
) -> FakeContext:
    """Return the context of an invocation whose time is up after so many more requests."""
    end = len(service.arrivals) + requests

    def seconds_left() -> float:
        if len(service.arrivals) < end:
            return SECONDS_TO_SAVE + 10
        if is_killed:
            raise Killed
        return 0.0

    return FakeContext(seconds_left)


@pytest.fixture
def service(
    staging: Staging, lambdas: Lambdas, monkeypatch: pytest.MonkeyPatch
) -> Iterator[CognitoService]:
    """A pool of 64 people, who all have a row; an invocation has time for 12 requests."""
    staging.target.execute(
        "TRUNCATE users, orders;"
        " INSERT INTO users SELECT number, 'user' || number || '@example.com',"
        " 'production-' || number FROM generate_series(0, 63) AS number"
    )
    service = CognitoService(POOL, page_sizes=(2,), quota=float("inf"))
    lambdas.make_context = lambda: brief_context(service, 12)
    with serving(service) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER", server.url)
        monkeypatch.setenv("COGNITO_USER_POOL_ID", POOL_ID)
        monkeypatch.setenv("LIST_USERS_RPS", "30")
        yield service


def assert_remapped(staging: Staging, outcome: Outcome) -> None:
    """Check that everybody has the sub of staging's pool."""
    assert (outcome.status, outcome.cause) == ("SUCCEEDED", None)
    assert outcome.output["cognito_mapping"]["updated"] == 64
    assert outcome.output["cognito_mapping"]["skipped_no_cognito_user"] == 0
    assert staging.target.rows(USERS) == [
        (number, f"user{number}@example.com", POOL.sub(number)) for number in range(64)
    ]


def test_several_invocations_list_a_pool_and_everybody_is_remapped(
    workflow: Workflow, staging: Staging, lambdas: Lambdas, service: CognitoService
) -> None:
    outcome = workflow.run({"cognito_only": True})

    assert_remapped(staging, outcome)
    assert lambdas.called.count("list_cognito_users") >= 2
    assert lambdas.called[-1] == "update_db"
    assert len(service.arrivals) == PAGES, "no page is read twice"


def test_the_state_has_only_the_listings_place_and_size(
    workflow: Workflow, service: CognitoService
) -> None:
    outcome = workflow.run({"cognito_only": True})

    listed = outcome.exits()["ListedAll?"]["cognito_mapping"]
    assert listed.keys() == {"bucket", "manifest", "users", "pages", "done"}
    history = json.dumps(outcome.history, default=str)
    for personal in ("example.com", *map(POOL.sub, range(64))):
        assert personal not in history
    assert len(service.arrivals) == PAGES


def test_an_invocation_that_is_killed_in_the_middle_is_retried_from_the_last_manifest(
    workflow: Workflow, staging: Staging, lambdas: Lambdas, service: CognitoService
) -> None:
    invocations = 0

    def killed_the_second_time(event: dict[str, Any], context: LambdaContext) -> Any:
        nonlocal invocations
        invocations += 1
        if invocations != 2:
            return list_users(event, context)
        with pytest.raises(Killed):
            list_users(event, brief_context(service, 3, is_killed=True))
        raise NamedError("Lambda.ServiceException")

    lambdas.functions["list_cognito_users"] = killed_the_second_time

    outcome = workflow.run({"cognito_only": True})

    assert_remapped(staging, outcome)
    assert invocations >= 3
    assert len(service.arrivals) >= PAGES + 3, "the killed invocation's pages are read again"


def test_a_listing_that_fails_is_retried_from_where_it_stopped(
    workflow: Workflow,
    staging: Staging,
    lambdas: Lambdas,
    service: CognitoService,
    waits: list[float],
) -> None:
    impatient = functools.partial(list_pool, tuning=Tuning(seconds_of_failing=0.0))
    lambdas.functions["list_cognito_users"] = entry_point(impatient)
    service.interfere = lambda call: INTERNAL_ERROR if call.number == 9 else None

    outcome = workflow.run({"cognito_only": True})

    assert_remapped(staging, outcome)
    assert len(waits) == 1, "one retry"
    assert len(service.arrivals) == PAGES + 1, "only the failed page is requested again"


def test_a_listing_without_progress_fails_and_does_not_loop_forever(
    workflow: Workflow, staging: Staging, lambdas: Lambdas, service: CognitoService
) -> None:
    before = staging.target.contents()
    times = iter([12])
    lambdas.make_context = lambda: brief_context(service, next(times, 0))

    outcome = workflow.run({"cognito_only": True})

    assert (outcome.status, outcome.error) == ("FAILED", "OutOfTime")
    assert lambdas.called == ["list_cognito_users"] * 2
    assert staging.target.contents() == before
