"""The simulation of syncs in parts: its clock, and what it counts."""

import random
from collections.abc import Sequence

import pytest

from tests.bench.simulation.execution import LEFT_OVER, TIMEOUT, Outcome, Settings, run
from tests.bench.simulation.lambdas import Account, Pace, Round, Starts
from tests.bench.simulation.workload import GIGABYTE, TABLES, Staging, Work, divide, skewed

AT_ONCE = Starts(map=0, child=0, cold=0, session=0)


class AtWorst(random.Random):
    """Each invocation that may fail does so at its start; each retry waits as long as it may."""

    def random(self) -> float:
        return 0.0

    def uniform(self, _: float, b: float) -> float:
        return b


def a_round(
    *,
    alone: float = 10,
    together: float = 1e9,
    concurrency: int = 8,
    failures: float = 0,
    starts: Starts = AT_ONCE,
    idle: int = 0,
) -> Round:
    return Round(
        pace=Pace(alone, together),
        concurrency=concurrency,
        failures=failures,
        starts=starts,
        account=Account(),
        chance=AtWorst(),
        idle=idle,
    )


@pytest.mark.parametrize(
    ("parts", "concurrency", "seconds"),
    [
        pytest.param([100], 8, 10, id="one"),
        pytest.param([100] * 8, 8, 10, id="as many as may work at the same time"),
        pytest.param([100] * 9, 8, 20, id="one more"),
        pytest.param([100, 50, 50], 2, 10, id="two after another beside a larger one"),
    ],
)
def test_only_so_many_parts_are_at_work_at_a_time(
    parts: Sequence[float], concurrency: int, seconds: float
) -> None:
    simulated = a_round(concurrency=concurrency)

    failed = simulated.run(parts)

    assert failed == []
    assert simulated.clock == pytest.approx(seconds)


def test_parts_share_what_the_disk_takes_and_the_last_one_has_it_alone() -> None:
    simulated = a_round(alone=10, together=10)

    simulated.run([50, 100])

    # Both get 5 bytes per second until the smaller one ends, then the other one gets 10.
    assert simulated.clock == pytest.approx(15)
    assert simulated.account.seconds == pytest.approx(10 + 15)
    assert simulated.account.longest == pytest.approx(15)


def test_a_part_that_begins_later_slows_down_the_one_that_is_at_work() -> None:
    starts = Starts(map=0, child=0, cold=4, session=0)
    simulated = a_round(alone=10, together=10, starts=starts, idle=1)

    simulated.run([100, 100])

    # One is warm: 40 bytes in 4 seconds, then 5 per second each, 60 left: at 16; the other has 40
    # left and gets 10 per second: at 20.
    assert simulated.clock == pytest.approx(20)


def test_starting_takes_its_time_and_a_used_environment_is_warm() -> None:
    starts = Starts(map=100, child=10, cold=3, session=2)
    simulated = a_round(concurrency=1, starts=starts)

    simulated.run([10, 10])

    assert simulated.clock == pytest.approx(100 + (10 + 3 + 2 + 1) + (10 + 2 + 1))
    assert simulated.account.cold_starts == 1
    # Lambda bills from its start on, but not the wait for it.
    assert simulated.account.seconds == pytest.approx((3 + 2 + 1) + (2 + 1))


def test_a_part_that_always_fails_is_tried_four_times_and_left() -> None:
    simulated = a_round(failures=1)

    assert simulated.run([100, 70]) == [100, 70]
    assert simulated.clock == pytest.approx(15 + 30 + 60)

    account = simulated.account
    assert (account.children, account.invocations, account.retries) == (2, 8, 6)
    assert (account.given_up, account.cold_starts) == (2, 8)


@pytest.mark.parametrize(
    ("tables", "parts"),
    [
        pytest.param([1000, 60, 30, 30], [100] * 10 + [90, 30], id="a large one beside small ones"),
        pytest.param([140], [140], id="one that is not much larger than a part"),
        pytest.param([160], [80, 80], id="one that is"),
        pytest.param([0.1] * 201, [20, 0.1], id="more than a part may have"),
        pytest.param([0], [], id="nothing"),
    ],
)
def test_a_part_is_a_range_of_a_large_table_or_several_small_tables(
    tables: Sequence[float], parts: Sequence[float]
) -> None:
    assert divide(tables, size=100) == pytest.approx(parts)


def test_a_skewed_database_is_a_huge_table_and_a_thousand_others() -> None:
    tables = skewed(10_000 * GIGABYTE)

    assert len(tables) == 1001
    assert sum(tables) == pytest.approx(10_000 * GIGABYTE)
    assert max(tables) == pytest.approx(6000 * GIGABYTE)


@pytest.mark.parametrize(
    ("staging", "concurrency", "limit"),
    [
        pytest.param(Staging("small disk", 32, 1e8), 8, "staging's disk", id="disk"),
        pytest.param(Staging("few cores", 2, 1e12), 8, "staging's cores", id="cores"),
        pytest.param(Staging("large", 32, 1e12), 8, "parts_concurrency", id="concurrency"),
    ],
)
def test_the_first_limit_is_the_one_that_leaves_the_least(
    staging: Staging, concurrency: int, limit: str
) -> None:
    work = Work("load", seconds=20, disk=2, expected=1)

    assert staging.first_limit(work, concurrency) == limit


def test_an_execution_goes_on_with_what_failed_and_ends_with_the_checks() -> None:
    staging = Staging("staging", 8, 1e12)
    load = Work("load", seconds=10, disk=1, expected=TABLES * 1e8)

    calm, failing = (
        run([GIGABYTE] * 20, load, staging, Settings(part_seconds=10, failures=failures))
        for failures in (0.0, 0.6)
    )

    # Each table is counted, and read for a foreign key.
    assert (calm.parts, calm.checks, calm.rounds, calm.account.retries) == (20, 40, 2, 0)
    assert failing.rounds > 2
    assert failing.account.given_up > 0
    assert failing.account.children == failing.parts + failing.checks + failing.account.given_up
    assert failing.seconds > calm.seconds


@pytest.mark.parametrize(("part_seconds", "fits"), [(45, True), (120, False)])
def test_parts_that_share_a_disk_take_as_many_times_longer_as_there_are_of_them(
    part_seconds: float, *, fits: bool
) -> None:
    staging = Staging("one connection is all that its disk takes", 32, 1e8)
    load = Work("load", seconds=10, disk=1, expected=TABLES * 1e8)

    outcome = run([GIGABYTE * 1000], load, staging, Settings(part_seconds=part_seconds, failures=0))

    assert outcome.account.longest == pytest.approx(8 * part_seconds, rel=0.05)
    assert (outcome.account.longest < TIMEOUT - LEFT_OVER) == fits


def test_what_aws_counts_and_bills_is_added_up() -> None:
    account = Account(
        invocations=100, cold_starts=9, seconds=10_000, children=90, retries=7, given_up=1
    )
    outcome = Outcome(85, 4, rounds=3, seconds=60 + 1700, account=account, memory_gb=2)

    # Two keepers of 1,700 seconds, each of three turns of 840.
    assert outcome.turns == 6
    assert outcome.lambda_seconds == 10_000 + 2 * 1700
    # Once: a start, an end, a task (5), three choices (2), a Parallel (4), three Pass (2) and Done
    # (2). Each round: a Map (6), a task and a choice. Each turn: a task and a choice.
    assert outcome.events == 2 + 5 + 6 + 4 + 6 + 2 + 3 * (6 + 5 + 2) + 6 * (5 + 2)
    # Nine states and a start; three in each round, two in each turn, a start and two in each child.
    assert outcome.transitions == 10 + 3 * 3 + 6 * 2 + 90 * 3 + 7
    assert outcome.dollars == pytest.approx(
        13_400 * 2 * 0.0000133334 + 106 * 0.0000002 + 308 * 0.000025
    )
