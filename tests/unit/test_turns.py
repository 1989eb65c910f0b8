"""The order of the chains' requests: no chain may wait until its token expires."""

from types import SimpleNamespace
from typing import Any, cast

from common.aws.exchange import Exchange
from list_cognito_users.chain import DIGITS
from list_cognito_users.pool import Page, UserPool
from list_cognito_users.progress import Progress
from list_cognito_users.rate import RateLimiter
from list_cognito_users.turns import Turns

UUID = "a0000000-0000-4000-a000-000000000000"
PAGES = 3
WAITED_FOR = 60.0  # seconds; an answer ends the wait at once


class RecordingPool:
    """A pool of one user and a few pages for each chain; records the requests' prefixes."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def page(self, prefix: str, token: str | None) -> Page:
        self.asked.append(prefix)
        page = int(token or 1)
        is_found = UUID.startswith(prefix) and page == 1
        users = [{"Attributes": [{"Name": "sub", "Value": UUID}]}] if is_found else []
        return Page(cast("Any", users), str(page + 1) if page < PAGES else None)


class OneAtATime(RateLimiter):
    """Allows a request after the previous one is handled, so that their order is certain."""

    turns: Turns

    def __init__(self) -> None:
        super().__init__(1.0)
        self._sent = 0

    def delay(self) -> float:
        return 0.0 if self.turns.pages == self._sent else WAITED_FOR

    def take(self) -> float:
        self._sent += 1
        return 0.0


def test_after_the_first_page_the_chains_take_turns() -> None:
    pool, progress = RecordingPool(), Progress.new()
    exchange = SimpleNamespace(key=str, upload=lambda _name, _content: "")
    limiter = OneAtATime()
    turns = Turns(progress, cast("UserPool", pool), cast("Exchange", exchange), limiter)
    limiter.turns = turns

    turns.take(lambda: 2 * WAITED_FOR)

    assert pool.asked == ["", *(PAGES * DIGITS)]
    assert all(chain.is_done for chain in progress.chains)
    assert turns.pages == 1 + PAGES * len(DIGITS)
