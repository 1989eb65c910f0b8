"""Lambdas that only sleep, in simulated time: one run of the Distributed Map over some parts."""

import heapq
import random
from collections.abc import Sequence
from dataclasses import dataclass, field

MAX_RETRIES = 3  # of a part in the same child execution
FIRST_WAIT = 15.0  # seconds before the first retry, at most; twice as long before each further one


@dataclass(frozen=True, slots=True)
class Starts:
    """How long it takes until a part is at work, in seconds.

    `map` before the first one; `child` for each child execution; `cold` for an environment that
    does not exist yet, in a VPC; `session` to read both catalogs, plan and import the snapshot.
    """

    map: float = 5.0
    child: float = 1.0
    cold: float = 3.0
    session: float = 5.0


@dataclass(frozen=True, slots=True)
class Pace:
    """Bytes per second: of one Lambda, and of all that are at work at the same time."""

    alone: float
    together: float

    def of_each(self, working: int) -> float:
        """Return what each of so many gets done per second."""
        return min(self.alone, self.together / working)


@dataclass(slots=True)
class Account:
    """What was used so far: what Lambda and Step Functions count, and the longest invocation."""

    invocations: int = 0
    cold_starts: int = 0
    seconds: float = 0.0
    children: int = 0
    retries: int = 0
    given_up: int = 0
    longest: float = 0.0


@dataclass(slots=True)
class _Attempt:
    """An invocation for a part of `size` bytes, that ends or fails after `todo` of them."""

    size: float
    todo: float
    fails: bool
    tries: int
    began: float


@dataclass(slots=True)
class Round:
    """A run of the Map: at most `concurrency` parts at a time, each of which may fail.

    `failures`: the share of the invocations that fail, each after a random share of its work.
    """

    pace: Pace
    concurrency: int
    failures: float
    starts: Starts
    account: Account
    chance: random.Random
    idle: int = 0  # environments that are warm
    clock: float = 0.0  # seconds since the execution's start
    _waiting: list[float] = field(default_factory=list)
    _starting: list[tuple[float, int, _Attempt]] = field(default_factory=list)
    _working: list[tuple[float, int, _Attempt]] = field(default_factory=list)
    _done: float = 0.0  # bytes that one would have done that has been at work all the time

    def run(self, parts: Sequence[float]) -> list[float]:
        """Work on parts, given by their bytes, and return those that failed for good."""
        failed: list[float] = []
        self.clock += self.starts.map
        self._waiting = list(reversed(parts))
        for _ in range(min(self.concurrency, len(parts))):
            self._start_next()
        while self._starting or self._working:
            if (ended := self._advance()) is None:
                continue
            if not ended.fails:
                self._start_next()
            elif ended.tries < MAX_RETRIES:
                self._retry(ended)
            else:
                self.account.given_up += 1
                failed.append(ended.size)
                self._start_next()
        return failed

    def _start_next(self) -> None:
        """Start the child execution of the next part, if there is one."""
        if self._waiting:
            self.account.children += 1
            self._invoke(self._waiting.pop(), self.clock + self.starts.child, tries=0)

    def _retry(self, failed: _Attempt) -> None:
        """Invoke it again after a wait, as JitterStrategy FULL does."""
        wait = self.chance.uniform(0, FIRST_WAIT * 2**failed.tries)
        self.account.retries += 1
        self._invoke(failed.size, self.clock + wait, failed.tries + 1)

    def _invoke(self, size: float, began: float, tries: int) -> None:
        self.account.invocations += 1
        ready = began + self.starts.session
        if self.idle:
            self.idle -= 1
        else:
            self.account.cold_starts += 1
            ready += self.starts.cold
        fails = self.chance.random() < self.failures
        todo = size * self.chance.random() if fails else size
        attempt = _Attempt(size, todo, fails, tries, began)
        # Nothing else has its number, which orders those that are ready at the same time.
        heapq.heappush(self._starting, (ready, self.account.invocations, attempt))

    def _advance(self) -> _Attempt | None:
        """Go on to the next event; return the attempt that ended there, None if one began.

        All that are at work get the same done per second. So the one that ends first is known by
        the bytes at which it ends, however often that pace changes.
        """
        ready = self._starting[0][0] if self._starting else float("inf")
        if self._working:
            pace = self.pace.of_each(len(self._working))
            end = self.clock + (self._working[0][0] - self._done) / pace
            if end <= ready:
                self.clock, self._done = end, self._working[0][0]
                return self._end(heapq.heappop(self._working)[2])
            self._done += pace * (ready - self.clock)
        self.clock, number, attempt = heapq.heappop(self._starting)
        heapq.heappush(self._working, (self._done + attempt.todo, number, attempt))
        return None

    def _end(self, attempt: _Attempt) -> _Attempt:
        """Count an attempt's seconds. Whatever fails is taken to lose its environment."""
        took = self.clock - attempt.began
        self.account.seconds += took
        self.account.longest = max(self.account.longest, took)
        self.idle += not attempt.fails
        return attempt
