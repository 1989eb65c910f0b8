"""ListCognitoUsers: the rate of its requests, and what it does when Cognito throttles or fails."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from common.errors import CognitoUnavailable
from list_cognito_users.handler import handler
from list_cognito_users.rate import RateLimiter
from tests.integration.list_cognito_users.pools import (
    EVENT,
    FAST,
    Pool,
    listed_subs,
    spread,
    subs_of,
    user,
)
from tests.support.cognito_service import DROPPED, INTERNAL_ERROR, THROTTLED, Call, Failure
from tests.support.cognito_users import DIGITS, GeneratedUsers
from tests.support.lambda_context import FakeContext

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

WORKERS = 16


def failing(failure: Failure, when: Callable[[Call], bool]) -> Callable[[Call], Failure | None]:
    return lambda call: failure if when(call) else None


def test_the_rate_is_kept(s3: "S3Client", pool: Pool) -> None:
    pool.service.users = spread(200)
    pool.service.page_sizes = (2,)  # 100 pages and more

    pool.list(rate=50)

    # However slow this machine is, at most one request of each worker is late.
    assert pool.service.busiest_second() <= 50 + 2 + WORKERS
    assert listed_subs(s3) == subs_of(spread(200))


@pytest.mark.parametrize(("setting", "rate"), [("7.5", 7.5), ("", 20.0)])
@pytest.mark.usefixtures("service")
def test_the_rate_is_the_settings_and_20_a_second_without_one(
    monkeypatch: pytest.MonkeyPatch, setting: str, rate: float
) -> None:
    rates: list[float] = []

    def limit(rate: float) -> RateLimiter:
        rates.append(rate)
        return RateLimiter(FAST)

    monkeypatch.setenv("LIST_USERS_RPS", setting)
    monkeypatch.setattr("list_cognito_users.handler.RateLimiter", limit)

    handler(EVENT, FakeContext())

    assert rates == [rate]


@pytest.mark.parametrize("failure", [THROTTLED, INTERNAL_ERROR, DROPPED], ids=lambda it: it.code)
def test_a_chain_that_fails_in_the_middle_is_retried(
    s3: "S3Client", pool: Pool, failure: Failure
) -> None:
    pool.service.users = spread(160)
    pool.service.page_sizes = (3,)  # four pages for each digit
    pool.service.interfere = failing(
        failure, lambda call: call.prefix == "a" and call.of_prefix in {2, 3, 5}
    )

    result = pool.list()

    assert (result.users, result.pages, result.done) == (160, 64, True)
    assert listed_subs(s3) == subs_of(spread(160))
    assert len(pool.service.arrivals) == 1 + 64 + 3


def test_a_chain_that_fails_now_and_then_is_retried_for_as_long_as_it_takes(
    s3: "S3Client", pool: Pool
) -> None:
    pool.service.users = spread(160)
    pool.service.page_sizes = (3,)
    pool.service.interfere = failing(
        INTERNAL_ERROR, lambda call: call.prefix == "a" and call.of_prefix % 2 == 0
    )

    pool.list(clock=hours_pass(pool))

    assert listed_subs(s3) == subs_of(spread(160))


def test_a_chain_that_fails_for_longer_than_a_minute_ends_the_invocation(pool: Pool) -> None:
    pool.service.users = spread(160)
    pool.service.page_sizes = (3,)
    pool.service.interfere = failing(
        INTERNAL_ERROR, lambda call: call.prefix == "a" and call.of_prefix in {2, 3}
    )

    with pytest.raises(CognitoUnavailable, match="InternalErrorException"):
        pool.list(clock=hours_pass(pool))


def hours_pass(pool: Pool) -> Callable[[], float]:
    """Return a clock that advances by an hour with each request."""
    return lambda: 3_600.0 * len(pool.service.arrivals) + time.monotonic()


def test_a_temporary_burst_of_throttling_is_waited_out(s3: "S3Client", pool: Pool) -> None:
    pool.service.users = spread(160)
    pool.service.page_sizes = (3,)
    pool.service.interfere = failing(THROTTLED, lambda call: 10 <= call.number < 40)

    result = pool.list()

    assert (result.users, result.done) == (160, True)
    assert listed_subs(s3) == subs_of(spread(160))


def test_a_quota_below_the_rate_is_respected(s3: "S3Client", pool: Pool) -> None:
    pool.service.users = spread(320)
    pool.service.page_sizes = (4,)  # 80 pages
    pool.service.quota = 40

    result = pool.list(rate=200)

    assert (result.users, result.done) == (320, True)
    assert listed_subs(s3) == subs_of(spread(320))
    assert pool.service.throttled < 80, "it does not flood Cognito with retries"


def test_every_request_goes_through_the_limiter(pool: Pool) -> None:
    pool.service.interfere = failing(THROTTLED, lambda _: True)

    with pytest.raises(CognitoUnavailable):
        pool.list(requests=5)

    assert len(pool.service.arrivals) == 5, "the SDK does not retry"


def test_a_pool_that_changes_while_it_is_listed_lists_those_who_stay_once(
    s3: "S3Client", pool: Pool
) -> None:
    before = subs_of(spread(160))
    leaving = before[3::8]
    users = pool.service.users = spread(160)
    pool.service.page_sizes = (2,)

    def change(call: Call) -> None:
        if call.number % 4 == 0 and leaving:
            users.remove(leaving.pop())
        if call.number % 3 == 0:
            users.add(user(1_000 + call.number, DIGITS[call.number % 16]))

    pool.service.interfere = change
    result = pool.list()

    subs = listed_subs(s3)
    assert result.done
    assert len(subs) == len(set(subs)), "nobody is listed twice"
    assert set(subs) >= set(before) - set(before[3::8]), "nobody who stayed is missing"


def test_all_kinds_of_users_are_listed(s3: "S3Client", pool: Pool) -> None:
    generated = GeneratedUsers(300, seed=7)
    pool.service.users = generated

    pool.list()

    assert listed_subs(s3) == sorted(map(generated.sub, range(300)))
