"""The limits of a listing."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tuning:
    """The limits; the defaults are the product's.

    Attributes:
        users_per_part: the most users that a part has. 10,000 take less than 1 MB, compressed, and
            each chain has one part in memory.
        seconds_of_failing: a chain whose requests all fail for so long ends the invocation.
        restarts: how often a chain may start again because its token was refused.
        pages_per_log: the progress is logged each time that so many pages were read.
    """

    users_per_part: int = 10_000
    seconds_of_failing: float = 60.0
    restarts: int = 2
    pages_per_log: int = 500


TUNING = Tuning()
