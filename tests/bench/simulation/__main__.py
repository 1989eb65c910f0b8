"""`python -m tests.bench.simulation`: how syncs in parts of large databases would run on AWS.

Nothing is measured: parts only sleep, in simulated time, at rates that were measured before.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace

from rich import box
from rich.console import RenderableType
from rich.table import Table

from tests.bench.run import run as run_benchmark
from tests.bench.simulation.execution import (
    LEFT_OVER,
    MACHINE_TIMEOUT,
    MAX_EVENTS,
    TIMEOUT,
    Outcome,
    Settings,
    run,
)
from tests.bench.simulation.workload import (
    CASES,
    GIGABYTE,
    MEGABYTE,
    STAGINGS,
    Staging,
    Work,
    skewed,
)

WIDTH = 160  # characters of the table
SIZES = {"10 GB": 10, "100 GB": 100, "1 TB": 1000, "10 TB": 10_000}


def main() -> int:
    """Simulate all sizes and print the tables; return 0."""
    given = Settings()
    parser = argparse.ArgumentParser(prog="python -m tests.bench.simulation", description=__doc__)
    parser.add_argument(
        "--concurrency",
        type=int,
        help="parts at once; default: as many as staging has cores, and what cdk.json says if"
        " nothing is set",
    )
    parser.add_argument("--memory-gb", type=float, default=given.memory_gb, help="of each Lambda")
    parser.add_argument(
        "--part-seconds", type=float, default=given.part_seconds, help="that a part should take"
    )
    parser.add_argument(
        "--failures", type=float, default=given.failures, help="share of invocations that fail"
    )
    parser.add_argument(
        "--disk", type=float, help="MB per second that staging's disk takes; default: the class's"
    )
    call = parser.parse_args()
    runs = [
        (
            replace(staging, disk=call.disk * MEGABYTE if call.disk else staging.disk),
            Settings(concurrency, call.memory_gb, call.part_seconds, call.failures),
        )
        for staging in STAGINGS
        for concurrency in (
            [call.concurrency] if call.concurrency else sorted({staging.cores, given.concurrency})
        )
    ]
    return run_benchmark(lambda _: list(tables(runs)), width=WIDTH)


def tables(runs: Sequence[tuple[Staging, Settings]]) -> Iterator[RenderableType]:
    """Return a table for each case, and what they were computed with."""
    for work in CASES:
        yield work.name.capitalize()
        yield _as_table(work, runs)
    settings = runs[0][1]
    yield (
        f"{settings.memory_gb:g} GB of memory, parts of {settings.part_seconds:g} s as DbSync"
        f" expects, {settings.failures:.1%} of the invocations fail. Dollars: Lambda (arm64) and"
        " Step Functions, us-east-1."
    )


def _as_table(work: Work, runs: Sequence[tuple[Staging, Settings]]) -> Table:
    table = Table("database", "staging", box=box.ASCII2)
    for heading in (
        *("at once", "parts", "checks", "rounds", "hours", "MB/s", "longest", "Lambda-hours"),
        *("transitions", "events", "$"),
    ):
        table.add_column(heading, justify="right")
    table.add_column("limit", no_wrap=True)
    for name, gigabytes in SIZES.items():
        for staging, settings in runs:
            size = gigabytes * GIGABYTE
            outcome = run(skewed(size), work, staging, settings)
            table.add_row(
                *(name, staging.name, str(settings.concurrency), *_figures(outcome, size)),
                _limit(outcome, staging.first_limit(work, settings.concurrency)),
            )
    return table


def _figures(outcome: Outcome, size: float) -> Iterator[str]:
    yield f"{outcome.parts:,}"
    yield f"{outcome.checks:,}"
    yield f"{outcome.rounds}"
    yield f"{outcome.seconds / 3600:,.1f}"
    yield f"{size / outcome.seconds / MEGABYTE:,.0f}"
    yield f"{outcome.account.longest / 60:.1f} min"
    yield f"{outcome.lambda_seconds / 3600:,.1f}"
    yield f"{outcome.transitions:,}"
    yield f"{outcome.events:,}"
    yield f"{outcome.dollars:,.2f}"


def _limit(outcome: Outcome, first: str) -> str:
    """Return what makes it fail; if nothing does, what it waits for."""
    if outcome.account.longest > TIMEOUT - LEFT_OVER:
        return "FAILS: 15 minutes"
    if outcome.seconds > MACHINE_TIMEOUT:
        return "FAILS: 48 hours"
    if outcome.events > MAX_EVENTS:
        return "FAILS: 25,000 events"
    return first


if __name__ == "__main__":
    sys.exit(main())
