"""The numbers by which a listing is divided, reported and given up."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tuning:
    """The limits of a listing; the defaults are the product's.

    Attributes:
        users_per_part: the most users in a part: under 1 MB, compressed. Each chain has one part
            in memory.
        seconds_of_failing: a chain whose requests have failed for so long, one after the other,
            ends the invocation.
        restarts: how often a chain whose token is refused begins again.
        pages_per_log: after so many pages, the progress is logged.
    """

    users_per_part: int = 10_000
    seconds_of_failing: float = 60.0
    restarts: int = 2
    pages_per_log: int = 500


TUNING = Tuning()
