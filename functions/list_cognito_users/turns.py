"""Reads the chains of a listing in turns: one request of each at a time, at a common rate.

One thread sends the requests and handles their results; the others wait for Cognito and write what
it answers. So the limiter counts every request, and no chain waits long enough for its pagination
token to expire, which is valid for an hour.
"""

import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from common.aws.exchange import Exchange
from common.errors import CognitoUnavailable
from common.log import logger
from list_cognito_users.chain import DIGITS, Chain, is_found_by_digit
from list_cognito_users.parts import attributes_of
from list_cognito_users.pool import (
    CONNECTIONS,
    FilterRefusedError,
    Page,
    TokenRefusedError,
    UserPool,
)
from list_cognito_users.progress import Progress
from list_cognito_users.rate import RateLimiter
from list_cognito_users.tuning import TUNING, Tuning


class Turns:
    """The chains' turns in one invocation.

    `pages` is how many pages it has read, `error` the last error. `has_failed`: the turns ended
    because of that error.
    """

    def __init__(
        self,
        progress: Progress,
        pool: UserPool,
        exchange: Exchange,
        limiter: RateLimiter,
        tuning: Tuning = TUNING,
    ) -> None:
        """Continue the chains that are not done."""
        self.pages = 0
        self.error: CognitoUnavailable | None = None
        self.has_failed = False
        self._progress = progress
        self._pool = pool
        self._exchange = exchange
        self._limiter = limiter
        self._tuning = tuning
        self._waiting = deque(chain for chain in progress.chains if not chain.is_done)
        self._running: dict[Future[Page], tuple[Chain, float]] = {}

    def take(self, time_left: Callable[[], float]) -> None:
        """Read pages until all chains are done, the time is up, or Cognito fails for too long.

        Raises:
            ConfigurationError, StagingSyncError: see `Chain.advance`.
        """
        with ThreadPoolExecutor(CONNECTIONS) as threads:
            while self._waiting or self._running or self._falls_back_to_one_chain():
                delay = self._limiter.delay()
                if self.has_failed or time_left() <= max(delay, 0):
                    if not self._running:
                        return
                    self._handle_completed(None)
                elif self._waiting and delay <= 0:
                    self._send(threads)
                else:
                    self._handle_completed(delay if self._waiting else None)

    def _send(self, threads: ThreadPoolExecutor) -> None:
        chain = self._waiting.popleft()
        sent = self._limiter.take()
        future = threads.submit(
            chain.advance, self._pool, self._exchange, self._tuning.users_per_part
        )
        self._running[future] = chain, sent

    def _handle_completed(self, timeout: float | None) -> None:
        """Wait until a request is completed, for so many seconds at most, and handle it."""
        if not self._running:
            time.sleep(timeout or 0)
            return
        done, _ = wait(self._running, timeout, FIRST_COMPLETED)
        for future in [each for each in self._running if each in done]:  # as they were sent
            chain, sent = self._running.pop(future)
            if chain in self._progress.chains:  # otherwise it was given up meanwhile
                self._handle(future, chain, sent)

    def _handle(self, future: Future[Page], chain: Chain, sent: float) -> None:
        try:
            page = future.result()
        except CognitoUnavailable as error:
            self._handle_failure(chain, sent, error)
        except TokenRefusedError:
            self._restart(chain)
        except FilterRefusedError:
            logger.info("the pool does not filter by sub: listing it in one chain")
            self._progress.missing = set()
            self._choose([Chain("")])
        else:
            self._handle_page(chain, page)

    def _handle_page(self, chain: Chain, page: Page) -> None:
        self.pages += 1
        chain.failing_since = None
        subs = {attributes_of(user)["sub"] for user in page.users}
        self._progress.missing -= subs
        if self.pages % self._tuning.pages_per_log == 0:
            logger.info(
                "listing",
                users=self._progress.users,
                pages=self._progress.pages,
                requests_per_second=round(self._limiter.rate, 1),
            )
        if chain.is_done:
            return
        if page.users and not self._progress.is_chosen:
            self._progress.is_chosen = True
            if all(map(is_found_by_digit, page.users)):
                self._progress.missing = subs
                self._choose([Chain(digit) for digit in DIGITS])
                return
        self._waiting.append(chain)

    def _falls_back_to_one_chain(self) -> bool:
        """Start again in one chain if the others missed a user of the first page.

        Then the pool's filter cannot be trusted. A user who was deleted meanwhile has the same
        effect, which only costs time.
        """
        if not self._progress.missing:
            return False
        logger.warning("the pool's filter by sub misses users: listing it in one chain")
        self._progress.missing = set()
        self._choose([Chain("")])
        return True

    def _choose(self, chains: list[Chain]) -> None:
        """List the pool in these chains and drop the others with all that they listed."""
        self._progress.chains = chains
        self._waiting = deque(chains)

    def _handle_failure(self, chain: Chain, sent: float, error: CognitoUnavailable) -> None:
        self.error = error
        if self._limiter.slow_down(sent):
            logger.info(
                "slowing down",
                error=type(error.__cause__ or error).__name__,
                requests_per_second=round(self._limiter.rate, 1),
            )
        if chain.failing_since is None:
            chain.failing_since = sent
        if sent - chain.failing_since >= self._tuning.seconds_of_failing:
            self.has_failed = True
        self._waiting.append(chain)

    def _restart(self, chain: Chain) -> None:
        """Start a chain again from its first page, since its token was refused.

        Only a token that is an hour old may be refused, so restarts are limited.
        """
        if chain.restarts >= self._tuning.restarts:
            self.error = CognitoUnavailable(
                f"Cognito repeatedly refused a pagination token of the user pool {self._pool}."
                " Start the execution again later."
            )
            self.has_failed = True
            return
        logger.info("a pagination token was refused: listing its users again")
        chain.restart()
        self._waiting.append(chain)
