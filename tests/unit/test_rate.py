"""The rate limiter, with a clock that the test controls."""

from collections import deque
from itertools import pairwise

import pytest

from common.errors import ConfigurationError
from list_cognito_users.rate import RateLimiter, parse_rate


class Clock:
    """A clock that advances only when the test waits."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    def send(self, limiter: RateLimiter, *, late: float = 0.0) -> float:
        """Wait for the limiter, and `late` seconds longer; return when the request was sent."""
        self.now += max(limiter.delay(), 0) + late
        return limiter.take()


def most_in_a_second(sent: list[float]) -> int:
    """Return how many of these moments are in the busiest second."""
    window: deque[float] = deque()
    most = 0
    for moment in sent:
        window.append(moment)
        while window[0] <= moment - 1:
            window.popleft()
        most = max(most, len(window))
    return most


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.mark.parametrize("rate", [0.5, 1, 20, 28, 30])
def test_requests_are_spaced_evenly_at_the_rate(clock: Clock, rate: float) -> None:
    limiter = RateLimiter(rate, clock)

    sent = [clock.send(limiter) for _ in range(200)]

    assert sent[0] == 100.0, "the first one does not wait"
    gaps = [after - before for before, after in pairwise(sent)]
    assert gaps == pytest.approx([1 / rate] * 199)


def test_being_a_little_late_each_time_does_not_lower_the_rate(clock: Clock) -> None:
    limiter = RateLimiter(20, clock)

    sent = [clock.send(limiter, late=0.004) for _ in range(400)]

    assert (sent[-1] - sent[0]) == pytest.approx(399 / 20, rel=0.01)


def test_in_no_second_are_there_more_than_two_requests_above_the_rate(clock: Clock) -> None:
    limiter = RateLimiter(20, clock)

    sent = [clock.send(limiter, late=(number % 7) ** 3 / 200) for number in range(500)]

    assert most_in_a_second(sent) <= 22


def test_requests_that_were_not_used_are_not_saved_up(clock: Clock) -> None:
    limiter = RateLimiter(20, clock)
    clock.send(limiter)
    clock.now += 60

    sent = [clock.send(limiter) for _ in range(100)]

    assert most_in_a_second(sent) <= 22


def test_a_refused_request_lowers_the_rate_which_then_recovers(clock: Clock) -> None:
    limiter = RateLimiter(20, clock)

    assert limiter.slow_down(clock.send(limiter))

    assert limiter.rate == pytest.approx(14)
    clock.now += 3
    assert limiter.rate == pytest.approx(17)
    clock.now += 3
    assert limiter.rate == pytest.approx(20)
    clock.now += 100
    assert limiter.rate == 20, "and no higher"


def test_requests_that_were_under_way_together_lower_the_rate_once(clock: Clock) -> None:
    limiter = RateLimiter(20, clock)
    together = [clock.send(limiter) for _ in range(16)]
    clock.now += 0.1

    counted = [limiter.slow_down(sent) for sent in together]

    assert counted == [True] + [False] * 15
    assert limiter.rate == pytest.approx(14)


def test_the_next_request_after_a_refused_one_waits_by_the_lower_rate(clock: Clock) -> None:
    limiter = RateLimiter(20, clock)
    sent = clock.send(limiter)
    clock.now += 0.1

    limiter.slow_down(sent)

    assert limiter.delay() == pytest.approx(1 / 14)


def test_endless_throttling_is_met_with_ever_fewer_requests(clock: Clock) -> None:
    limiter = RateLimiter(20, clock)
    sent = []
    while clock.now < 160:
        sent.append(clock.send(limiter))
        limiter.slow_down(sent[-1])

    per_second = [sum(second <= each < second + 1 for each in sent) for second in range(100, 160)]
    assert max(per_second[3:]) <= 2
    assert min(per_second) >= 1, "but it continues"


def test_a_quota_below_the_rate_is_used_without_flooding_it(clock: Clock) -> None:
    quota, accepted, refused = 10, deque[float](), 0
    limiter = RateLimiter(20, clock)
    taken = 0
    while clock.now < 220:
        sent = clock.send(limiter)
        while accepted and accepted[0] <= sent - 1:
            accepted.popleft()
        if len(accepted) < quota:
            accepted.append(sent)
            taken += 1
        else:
            refused += 1
            limiter.slow_down(sent)

    assert taken >= 0.75 * quota * 120
    assert refused <= 0.1 * taken


@pytest.mark.parametrize(
    ("text", "rate"), [("20", 20.0), ("30", 30.0), ("0.5", 0.5), ("1e-3", 0.001), (" 7 ", 7.0)]
)
def test_a_rate_is_a_number_up_to_cognitos_quota(text: str, rate: float) -> None:
    assert parse_rate("LIST_USERS_RPS", text) == rate


@pytest.mark.parametrize("text", ["", "0", "-0.0", "-5", "30.01", "nan", "inf", "-inf", "twenty"])
def test_any_other_rate_is_refused_with_the_setting(text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"LIST_USERS_RPS.*list_users_rps in cdk"):
        parse_rate("LIST_USERS_RPS", text)
