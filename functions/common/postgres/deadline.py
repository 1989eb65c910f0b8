"""Knowing when the time is up, before the Lambda is killed in the middle of a statement."""

import time
from dataclasses import dataclass
from typing import Self

from common.errors import OutOfTime
from common.postgres.database import Session

# Seconds kept back for the rollback, the report and the reply.
MARGIN = 15.0


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment of the monotonic clock, in seconds; None is never."""

    at: float | None = None

    @classmethod
    def in_milliseconds(cls, left: int) -> Self:
        """Return the deadline of a Lambda that has so many milliseconds left."""
        return cls(time.monotonic() + left / 1000 - MARGIN)

    def limit(self, doing: str, *sessions: Session) -> None:
        """Limit the next statements of these sessions to the time that is left.

        Args:
            doing: what begins now, for the message.
            sessions: whose statements are limited, in the transaction that is open and in later
                ones.

        Raises:
            OutOfTime: no time is left.
        """
        if self.at is None:
            return
        left = self.at - time.monotonic()
        if left <= 0:
            raise OutOfTime(
                f"The time was up before {doing}; the target is as it was. Raise the Lambda's"
                " timeout (at most 900 s) or memory, or run `db-sync` from a host."
            )
        for session in sessions:
            session.limit_until(self.at)
