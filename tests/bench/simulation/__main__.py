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
HEADINGS = (
    *("database", "staging", "at once", "parts", "checks", "hours", "longest", "Lambda-hours"),
    *("transitions", "events", "$", "limit"),
)
SIZES = {"10 GB": 10, "100 GB": 100, "1 TB": 1000, "10 TB": 10_000}

type Run = tuple[Staging, Settings]


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
        "--part-seconds", type=float, help="that a part should take; default: as DbSync chooses"
    )
    parser.add_argument(
        "--failures", type=float, default=given.failures, help="share of invocations that fail"
    )
    parser.add_argument(
        "--disk", type=float, help="MB per second that staging's disk takes; default: the class's"
    )
    parser.add_argument(
        "--markdown", action="store_true", help="only print the tables of docs/scaling.md"
    )
    call = parser.parse_args()
    if call.markdown:
        return run_benchmark(lambda _: [as_markdown(work) for work in CASES], width=WIDTH)
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
    return run_benchmark(lambda _: list(_as_tables(runs)), width=WIDTH)


def as_markdown(work: Work) -> str:
    """Return a case's table in docs/scaling.md, with as many parts at once as there are cores."""
    runs = [(staging, Settings(concurrency=staging.cores)) for staging in STAGINGS]
    lines = [HEADINGS, [*["---"] * 2, *["---:"] * (len(HEADINGS) - 3), "---"], *_rows(work, runs)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _as_tables(runs: Sequence[Run]) -> Iterator[RenderableType]:
    """Yield a table for each case, and what they were computed with."""
    for work in CASES:
        table = Table(*HEADINGS[:2], box=box.ASCII2)
        for heading in HEADINGS[2:-1]:
            table.add_column(heading, justify="right")
        table.add_column(HEADINGS[-1], no_wrap=True)
        for row in _rows(work, runs):
            table.add_row(*row)
        yield work.name.capitalize()
        yield table
    settings = runs[0][1]
    size = f"{settings.part_seconds:g} s" if settings.part_seconds else "60 to 120 s"
    yield (
        f"{settings.memory_gb:g} GB of memory, parts of {size} as DbSync expects,"
        f" {settings.failures:.1%} of the invocations fail. Dollars: Lambda (arm64) and"
        " Step Functions, us-east-1."
    )


def _rows(work: Work, runs: Sequence[Run]) -> Iterator[Sequence[str]]:
    """Simulate each database on each staging, and yield the figures below HEADINGS."""
    for name, gigabytes in SIZES.items():
        for staging, settings in runs:
            size = gigabytes * GIGABYTE
            outcome = run(skewed(size), work, staging, settings)
            yield (
                *(name, staging.name, str(settings.concurrency)),
                f"{outcome.parts:,}",
                f"{outcome.checks:,}",
                f"{outcome.seconds / 3600:,.1f}",
                f"{outcome.account.longest / 60:.1f} min",
                f"{outcome.lambda_seconds / 3600:,.1f}",
                f"{outcome.transitions:,}",
                f"{outcome.events:,}",
                f"{outcome.dollars:,.2f}",
                _limit(outcome, staging, work, settings.concurrency, size),
            )


def _limit(outcome: Outcome, staging: Staging, work: Work, concurrency: int, size: float) -> str:
    """Return what makes it fail; if nothing does, what it waits for."""
    if size / staging.alone(work) < TIMEOUT - LEFT_OVER:
        return "none: one Lambda does it"
    if outcome.account.longest > TIMEOUT - LEFT_OVER:
        return "FAILS: 15 minutes"
    if outcome.seconds > MACHINE_TIMEOUT:
        return "FAILS: 48 hours"
    if outcome.events > MAX_EVENTS:
        return "FAILS: 25,000 events"
    return staging.first_limit(work, concurrency)


if __name__ == "__main__":
    sys.exit(main())
