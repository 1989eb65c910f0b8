"""`make bench`: how fast a sync is, compared with pg_dump and pg_restore on the same servers."""

import argparse
import sys
from collections import defaultdict
from pathlib import Path

from rich.console import Console, RenderableType

from tests.bench import data, peers, report
from tests.bench.cases import CASES, MASK_RULES, MASKED_CASES, MASKS, Case, MaskedCase
from tests.bench.measure import Measurement, measure_sync
from tests.bench.report import MaskedOutcome, Outcome
from tests.bench.run import run
from tests.bench.servers import Servers, running

WIDTH = 132  # characters of the table
PARALLEL = '{"parallel_query": true}'


def main() -> int:
    """Run the benchmark and print its table.

    Returns:
        0 when it ran to its end, even if targets were missed; 1 when it did not.
    """
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0, help="of the data; 1 is 1.4 GB")
    parser.add_argument("--runs", type=int, default=3, help="of each case; medians are shown")
    parser.add_argument("--parallel", action="store_true", help="read tables in parallel")
    parser.add_argument("--bindir", type=Path, help="PostgreSQL's programs; default: the wheel's")
    call = parser.parse_args()

    def measure(log: Console) -> list[RenderableType]:
        with running(call.bindir) as servers:
            log.print("Building the data")
            data.build(servers, call.scale)
            size = data.size(servers.source)
            outcomes, masked = _run_all(servers, call.runs, is_parallel=call.parallel, log=log)
            return [
                report.as_table(outcomes, list(peers.available())),
                report.as_table_of_masks(masked),
                report.describe(servers, call.scale, call.runs, size),
            ]

    return run(measure, width=WIDTH)


def _run_all(
    servers: Servers, runs: int, *, is_parallel: bool, log: Console
) -> tuple[list[Outcome], list[MaskedOutcome]]:
    """Run the cases in turn, `runs` times; those without masks in parallel, if asked to."""
    rules = PARALLEL if is_parallel else None
    syncs: dict[Case, list[Measurement]] = defaultdict(list)
    masked: dict[Case, list[Measurement]] = defaultdict(list)
    copies: dict[Case, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for number in range(1, runs + 1):
        for masked_case in MASKED_CASES:
            case = masked_case.unmasked
            masked[case].append(_run_masked(servers, masked_case))
            log.print(f"{number}/{runs} {case.name}, masked: {masked[case][-1].seconds:.1f} s")
        for case in CASES:
            syncs[case].append(_run_case(servers, case, rules))
            for name, peer in peers.available().items():
                data.settle(servers)
                copies[case][name].append(peers.measure(servers, peer))
            others = ", ".join(f"{name} {taken[-1]:.1f} s" for name, taken in copies[case].items())
            log.print(f"{number}/{runs} {case.name}: {syncs[case][-1].seconds:.1f} s; {others}")
    values = len(MASKS) * servers.source.value("SELECT count(*) FROM users")
    return (
        [Outcome(case, syncs[case], copies[case]) for case in CASES],
        [
            MaskedOutcome(each, masked[each.unmasked], syncs[each.unmasked], values)
            for each in MASKED_CASES
        ],
    )


def _run_case(servers: Servers, case: Case, rules: str | None) -> Measurement:
    changed = case.prepare(servers)
    data.settle(servers)
    measured = measure_sync(servers, rules)
    case.check(measured, changed)
    return measured


def _run_masked(servers: Servers, case: MaskedCase) -> Measurement:
    case.unmasked.prepare(servers)
    data.settle(servers)
    measured = measure_sync(servers, MASK_RULES)
    case.check(servers, measured)
    return measured


if __name__ == "__main__":
    sys.exit(main())
