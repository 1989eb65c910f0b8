"""How many requests a second Cognito gets: fewer after throttling, until the rate recovers."""

import time
from collections.abc import Callable

from common.errors import ConfigurationError

MAX_RATE = 30.0
SLOWER = 0.7  # the rate's share that is left after throttling
RECOVERY = 0.05  # the full rate's share that is regained each second


def parse_rate(variable: str, text: str) -> float:
    """Return the requests per second that an environment variable allows.

    Raises:
        ConfigurationError: it is not a number above 0 and up to 30, the quota of an account
            and Region (Amazon Cognito developer guide, Quotas).
    """
    try:
        rate = float(text)
    except ValueError:
        rate = 0.0
    if not 0 < rate <= MAX_RATE:
        raise ConfigurationError(
            f'{variable} is "{text}"; it must be a number above 0 and up to {MAX_RATE:g}, the'
            " ListUsers requests that Cognito allows in a second. Set list_users_rps in cdk.json"
            " and deploy again."
        )
    return rate


class RateLimiter:
    """Spaces requests evenly, for one thread that sends them all.

    Any one second has at most two requests more than the rate: one because both ends of the second
    count, one because a late request does not delay the next.
    """

    def __init__(self, rate: float, clock: Callable[[], float] = time.monotonic) -> None:
        """Start at the full rate, in requests per second; the clock is in seconds."""
        self._full_rate = rate
        self._clock = clock
        self._slow_rate = rate
        self._slowed_at = self._next = clock()

    @property
    def rate(self) -> float:
        """How many requests a second are allowed now."""
        recovered = (self._clock() - self._slowed_at) * self._full_rate * RECOVERY
        return min(self._full_rate, self._slow_rate + recovered)

    def delay(self) -> float:
        """Return the seconds until the next request may be sent; 0 or less means now."""
        return self._next - self._clock()

    def take(self) -> float:
        """Count a request that is sent now; return the clock's time, for `slow_down`."""
        now = self._clock()
        interval = 1 / self.rate
        self._next = max(self._next, now - interval) + interval
        return now

    def slow_down(self, sent: float) -> bool:
        """Lower the rate after a failed request; return whether it was lowered.

        Requests that were under way together lower it once: `sent` is when the request was sent.
        """
        if sent < self._slowed_at:
            return False
        self._slow_rate = self.rate * SLOWER
        self._slowed_at = self._clock()
        self._next = max(self._next, self._slowed_at + 1 / self._slow_rate)
        return True
