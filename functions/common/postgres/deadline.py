"""A run's deadline: it ends with an error of ours before Lambda kills it in a statement."""

import math
import time
from dataclasses import dataclass
from typing import Self

from common.errors import OutOfTime
from common.postgres.database import Session

# Seconds left for the rollback, the report and the answer.
MARGIN = 15.0


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment of the monotonic clock, in seconds; None means no deadline."""

    at: float | None = None

    @classmethod
    def in_milliseconds(cls, left: int) -> Self:
        """Return the deadline of a Lambda that is killed in so many milliseconds."""
        return cls(time.monotonic() + left / 1000 - MARGIN)

    @property
    def seconds_left(self) -> float:
        """How many seconds are left; infinity without a deadline."""
        return math.inf if self.at is None else self.at - time.monotonic()

    def limit(self, doing: str, *sessions: Session) -> None:
        """Limit the statements of sessions to the time that is left.

        Args:
            doing: what begins now, for the message.
            sessions: limited in the open transaction and in later ones.

        Raises:
            OutOfTime: no time is left.
        """
        if self.at is None:
            return
        if self.seconds_left <= 0:
            raise OutOfTime(
                f"The time was up before {doing}; the target is as it was. Raise the Lambda's"
                " timeout (at most 900 s) or memory, or run `db-sync` from a host."
            )
        for session in sessions:
            session.limit_until(self.at)
