"""How fast Cognito is asked: a rate that yields to throttling, and comes back."""

import time
from collections.abc import Callable

from common.errors import ConfigurationError

MAX_RATE = 30.0
SLOWER = 0.7  # the rate's share that is left after throttling
RECOVERY = 0.05  # share of the full rate that comes back each second


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
            " ListUsers requests that Cognito grants in a second. Set list_users_rps in cdk.json"
            " and deploy again."
        )
    return rate


class RateLimiter:
    """Spaces requests evenly, for one thread that sends them all.

    In any one second there are at most two more requests than the rate: one for both ends of
    the second, one to make up for having been late.
    """

    def __init__(self, rate: float, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin at the full rate, in requests per second, by a clock in seconds."""
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
        """Return the seconds until the next request may be sent; 0 or less is now."""
        return self._next - self._clock()

    def take(self) -> float:
        """Count a request that is sent now; return the clock's time, for `slow_down`."""
        now = self._clock()
        interval = 1 / self.rate
        self._next = max(self._next, now - interval) + interval
        return now

    def slow_down(self, sent: float) -> bool:
        """Heed that a request, sent then, was refused or failed; return whether it counts.

        Those that were under way together are one sign, not many.
        """
        if sent < self._slowed_at:
            return False
        self._slow_rate = self.rate * SLOWER
        self._slowed_at = self._clock()
        self._next = max(self._next, self._slowed_at + 1 / self._slow_rate)
        return True
