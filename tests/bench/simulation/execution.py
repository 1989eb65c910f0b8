"""A whole execution in simulated time: rounds of parts, keepers, and what AWS counts and bills."""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from db_sync.environment import DbSyncEnvironment
from db_sync.tuning import Tuning
from tests.bench.simulation import history
from tests.bench.simulation.lambdas import Account, Pace, Round, Starts
from tests.bench.simulation.workload import CHECK, CHECKS, Staging, Work, divide

TIMEOUT = 900.0  # seconds that a Lambda has
LEFT_OVER = 60.0  # seconds before its end at which a Lambda leaves off
MACHINE_TIMEOUT = 172_800.0
MAX_EVENTS = 25_000
KEEPERS = 2
DIVIDING = 60.0  # seconds of SyncDatabase until it answers that there are parts
FINISHING, FINISHING_PART = 10.0, 0.02  # seconds of FinishSync, and of it for each part's result

# us-east-1, without the free tiers: aws.amazon.com/lambda/pricing, aws.amazon.com/step-functions/
# pricing; docs/deployment.md has the same.
DOLLARS_FOR_GB_SECOND = 0.0000133334  # arm64
DOLLARS_FOR_INVOCATION = 0.20 / 1e6
DOLLARS_FOR_TRANSITION = 0.025 / 1e3


@dataclass(frozen=True, slots=True)
class Settings:
    """What can be chosen: the settings of cdk.json, and how large a part is.

    `part_seconds`: that a part is expected to take; None: what DbSync chooses. `failures`: the
    share of invocations.
    """

    concurrency: int = DbSyncEnvironment.parts_concurrency
    memory_gb: float = 1.0
    part_seconds: float | None = None
    failures: float = 0.01
    starts: Starts = field(default_factory=Starts)

    @property
    def of_part(self) -> float:
        """The seconds that a part is expected to take."""
        return self.part_seconds or Tuning().part_seconds_of(self.concurrency)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an execution ended: seconds, and what was counted."""

    parts: int
    checks: int
    rounds: int
    seconds: float
    account: Account
    memory_gb: float

    @property
    def turns(self) -> int:
        """How often a keeper was invoked, both together."""
        return KEEPERS * math.ceil((self.seconds - DIVIDING) / (TIMEOUT - LEFT_OVER))

    @property
    def lambda_seconds(self) -> float:
        """Of all Lambdas, the keepers included."""
        return self.account.seconds + KEEPERS * (self.seconds - DIVIDING)

    @property
    def events(self) -> int:
        """Entries in the parent's history."""
        return (
            history.EXECUTION
            + history.entries(*history.ONCE)
            + history.entries(*history.ROUND) * self.rounds
            + history.entries(*history.TURN) * self.turns
        )

    @property
    def transitions(self) -> int:
        """State transitions of the parent and of all children."""
        return (
            (history.START + len(history.ONCE))
            + len(history.ROUND) * self.rounds
            + len(history.TURN) * self.turns
            + (history.START + len(history.CHILD)) * self.account.children
            + self.account.retries
        )

    @property
    def dollars(self) -> float:
        """For Lambda and Step Functions."""
        return (
            self.lambda_seconds * self.memory_gb * DOLLARS_FOR_GB_SECOND
            + (self.account.invocations + self.turns) * DOLLARS_FOR_INVOCATION
            + self.transitions * DOLLARS_FOR_TRANSITION
        )


def run(tables: Sequence[float], work: Work, staging: Staging, settings: Settings) -> Outcome:
    """Simulate an execution.

    Args:
        tables: their bytes.
        work: what is done with them.
        staging: where it is done. Production is taken to be no slower.
        settings: how.
    """
    parts, checks = (divide(tables, each.part(settings.of_part)) for each in (work, CHECK))
    checks *= CHECKS
    account = Account()
    chance = random.Random(0)  # noqa: S311 - the same failures each time
    clock, idle, rounds = DIVIDING, 0, 0
    left, kind, to_check = parts, work, checks
    account.invocations, account.seconds = 1, DIVIDING
    while left or to_check:
        if not left:
            left, kind, to_check = to_check, CHECK, []
        a_round = Round(
            pace=Pace(staging.alone(kind), staging.together(kind)),
            concurrency=settings.concurrency,
            failures=settings.failures,
            starts=settings.starts,
            account=account,
            chance=chance,
            idle=idle,
            clock=clock,
        )
        left = a_round.run(left)
        finishing = FINISHING + FINISHING_PART * (len(parts) + len(checks))
        account.invocations += 1
        account.seconds += finishing
        clock, idle, rounds = a_round.clock + finishing, a_round.idle, rounds + 1
    return Outcome(len(parts), len(checks), rounds, clock, account, settings.memory_gb)
