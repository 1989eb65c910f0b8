"""`make bench-scale`: a sync by several processes, and what it takes more than one transaction.

It is compared with the other tools, which get as many jobs.
"""

import argparse
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from statistics import median

from rich import box
from rich.console import Console, RenderableType
from rich.table import Table

from tests.bench import data, peers
from tests.bench.cases import INITIAL_LOAD, RECENT
from tests.bench.in_turn import InTurn
from tests.bench.measure import NOBODY, measure_sync
from tests.bench.report import Outcome, conditions, verdict
from tests.bench.run import run
from tests.bench.servers import Servers, running

WIDTH = 118  # characters of the table
SCALE = 4.0
JOBS = (1, 2, 4)
ONE_RUN, *_ = JOBS  # one process syncs in one transaction
# Parts as DbSync makes them are whole tables here. These are so small that large tables are divided
# into a handful each: seconds, at scale 1.
RANGE_SECONDS = 5.0
TABLES, RANGES = "tables", "ranges"
MUST_OVERHEAD, AIM_OVERHEAD = 1.15, 1.05  # seconds of parts by one worker to those of one run
# Nobody uses the target meanwhile: waits of others would be part of the overhead.
CASES = tuple(replace(case, watched=NOBODY) for case in (INITIAL_LOAD, RECENT))


def main() -> int:
    """Run the benchmark and print its tables.

    Returns:
        0 when it ran to its end, even if targets were missed; 1 when it did not.
    """
    parser = argparse.ArgumentParser(prog="python -m tests.bench.scale", description=__doc__)
    parser.add_argument("--scale", type=float, default=SCALE, help="of the data; 1 is 1.4 GB")
    parser.add_argument("--runs", type=int, default=3, help="of each case; medians are shown")
    parser.add_argument("--bindir", type=Path, help="PostgreSQL's programs; default: the wheel's")
    call = parser.parse_args()

    def measure(log: Console) -> list[RenderableType]:
        with running(call.bindir) as servers:
            if reason := peers.why_no_pgcopydb(servers):
                log.print(reason)
            log.print("Building the data")
            data.build(servers, call.scale)
            size = data.size(servers.source)
            by_jobs, in_parts = _measure(servers, call.scale, call.runs, log)
            return [
                _as_table(by_jobs),
                _as_table_of_overhead(by_jobs[ONE_RUN], in_parts),
                conditions(servers, call.scale, call.runs, size),
            ]

    return run(measure, width=WIDTH)


def _measure(
    servers: Servers, scale: float, runs: int, log: Console
) -> tuple[Mapping[int, list[Outcome]], Mapping[str, list[Outcome]]]:
    """Measure all cases in turn, by each number of jobs and in each kind of parts by one worker."""
    by_jobs = {
        jobs: InTurn(
            servers,
            CASES,
            partial(measure_sync, module=("db_sync", "--jobs", str(jobs))),
            peers.available(servers, jobs),
        )
        for jobs in JOBS
    }
    small = ("--part-seconds", str(RANGE_SECONDS * scale))
    in_parts = {
        kind: InTurn(
            servers,
            CASES,
            partial(measure_sync, module=("tests.bench.one_worker", *options)),
            peers={},
        )
        for kind, options in ((TABLES, ()), (RANGES, small))
    }
    for number in (f"{each}/{runs}" for each in range(1, runs + 1)):
        for jobs, cases in by_jobs.items():
            cases.measure(f"{number} --jobs {jobs},", log)
        for kind, cases in in_parts.items():
            cases.measure(f"{number} {kind} by one worker,", log)
    return (
        {jobs: cases.outcomes for jobs, cases in by_jobs.items()},
        {kind: cases.outcomes for kind, cases in in_parts.items()},
    )


def _as_table(by_jobs: Mapping[int, list[Outcome]]) -> Table:
    """Return the table of all numbers of jobs: medians of seconds, and ratios to each peer."""
    names = list(by_jobs[ONE_RUN][0].peers)
    table = Table("case", box=box.ASCII2)
    for heading in ("jobs", "db-sync", *(column for name in names for column in (name, "ratio"))):
        table.add_column(heading, justify="right", no_wrap=True)
    for outcomes in zip(*by_jobs.values(), strict=True):
        for jobs, outcome in zip(by_jobs, outcomes, strict=True):
            table.add_row(
                *(outcome.case.name, str(jobs), f"{outcome.seconds:.1f} s"), *_to_peers(outcome)
            )
    return table


def _to_peers(outcome: Outcome) -> Iterator[str]:
    """Yield each peer's seconds and the ratio to them."""
    for taken in outcome.peers.values():
        seconds = median(taken)
        yield f"{seconds:.1f} s"
        yield f"{outcome.seconds / seconds:.3f}"


def _as_table_of_overhead(one_run: list[Outcome], in_parts: Mapping[str, list[Outcome]]) -> Table:
    """Return the table of what parts take more than one run, both by one process."""
    table = Table("case", "parts", box=box.ASCII2)
    for heading in ("one run", "parts by one worker", "ratio", "must", "aim", ""):
        table.add_column(heading, justify="right", no_wrap=True)
    for kind, outcomes in in_parts.items():
        for one, parts in zip(one_run, outcomes, strict=True):
            ratio = parts.seconds / one.seconds
            table.add_row(
                *(one.case.name, kind, f"{one.seconds:.1f} s", f"{parts.seconds:.1f} s"),
                *(f"{ratio:.3f}", f"{MUST_OVERHEAD:.2f}", f"{AIM_OVERHEAD:.2f}"),
                verdict(ratio, MUST_OVERHEAD, AIM_OVERHEAD),
            )
    return table


if __name__ == "__main__":
    sys.exit(main())
