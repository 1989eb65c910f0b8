"""`make bench`: how fast a sync is, compared with pg_dump and pg_restore on the same servers."""

import argparse
import sys
from collections import defaultdict
from functools import partial
from pathlib import Path

from rich.console import Console, RenderableType

from tests.bench import data, many_tables, peers, report
from tests.bench.cases import (
    CASES,
    MASK_RULES,
    MASKED_CASES,
    MASKS,
    Case,
    MaskedCase,
    of_many_tables,
)
from tests.bench.in_turn import InTurn
from tests.bench.measure import Measurement, measure_sync
from tests.bench.report import MaskedOutcome
from tests.bench.run import run
from tests.bench.servers import Servers, running

WIDTH = 168  # characters of the table
PARALLEL = '{"parallel_query": true}'
PARTS = ("data", "tables")


def main() -> int:
    """Run the benchmark and print its table.

    Returns:
        0 when it ran to its end, even if targets were missed; 1 when it did not.
    """
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument(
        "--scale", type=float, default=1.0, help="of the data; 1 is 1.4 GB, and 1,000 small tables"
    )
    parser.add_argument("--runs", type=int, default=3, help="of each case; medians are shown")
    parser.add_argument("--only", choices=PARTS, help="the reference data, or many small tables")
    parser.add_argument("--parallel", action="store_true", help="read tables in parallel")
    parser.add_argument("--bindir", type=Path, help="PostgreSQL's programs; default: the wheel's")
    call = parser.parse_args()
    parts = {
        "data": lambda servers, log: _on_reference_data(servers, call, log),
        "tables": lambda servers, log: _on_many_tables(servers, call, log),
    }

    def measure(log: Console) -> list[RenderableType]:
        results: list[RenderableType] = []
        for part in (call.only,) if call.only else PARTS:
            with running(call.bindir) as servers:
                if reason := peers.why_no_pgcopydb(servers):
                    log.print(reason)
                results += parts[part](servers, log)
        return results

    return run(measure, width=WIDTH)


def _on_reference_data(
    servers: Servers, call: argparse.Namespace, log: Console
) -> list[RenderableType]:
    """Run the cases in turn, with masks and without; those without in parallel, if asked to."""
    log.print("Building the data")
    data.build(servers, call.scale)
    size = data.size(servers.source)
    sync = partial(measure_sync, rules=PARALLEL if call.parallel else None)
    cases = InTurn(servers, CASES, sync, peers.available(servers))
    masked: dict[Case, list[Measurement]] = defaultdict(list)
    for number in (f"{each}/{call.runs}" for each in range(1, call.runs + 1)):
        for masked_case in MASKED_CASES:
            case = masked_case.unmasked
            masked[case].append(_run_masked(servers, masked_case))
            log.print(f"{number} {case.name}, masked: {masked[case][-1].seconds:.1f} s")
        cases.measure(number, log)
    values = len(MASKS) * servers.source.value("SELECT count(*) FROM users")
    return [
        report.as_table(cases.outcomes),
        report.as_table_of_masks(
            [
                MaskedOutcome(each, masked[each.unmasked], cases.syncs[each.unmasked], values)
                for each in MASKED_CASES
            ]
        ),
        report.describe(servers, call.scale, call.runs, size),
    ]


def _on_many_tables(
    servers: Servers, call: argparse.Namespace, log: Console
) -> list[RenderableType]:
    """Run the cases with many small tables, which have a pair of servers of their own."""
    count = many_tables.count(call.scale)
    log.print(f"Building {count:,} tables")
    many_tables.add(servers, range(count))
    size = data.size(servers.source)
    cases = InTurn(servers, of_many_tables(count), measure_sync, peers.available(servers))
    for number in range(1, call.runs + 1):
        cases.measure(f"{number}/{call.runs}", log)
    return [
        report.as_table(cases.outcomes),
        report.describe(servers, call.scale, call.runs, size),
    ]


def _run_masked(servers: Servers, case: MaskedCase) -> Measurement:
    case.unmasked.prepare(servers)
    data.settle(servers)
    measured = measure_sync(servers, rules=MASK_RULES)
    case.check(servers, measured)
    return measured


if __name__ == "__main__":
    sys.exit(main())
