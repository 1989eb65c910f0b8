"""`make bench-cognito`: how fast a user pool is listed and its subs are written to the database."""

import argparse
import sys
import tempfile
from pathlib import Path

from rich.console import Console, RenderableType

from sandbox.cloud import local_aws
from tests.bench.cognito import report
from tests.bench.cognito.lambdas import Account
from tests.bench.cognito.listing import ListingOutcome, measure_listing
from tests.bench.cognito.remap import RemapOutcome, measure_remap
from tests.bench.run import run
from tests.bench.servers import Servers, running

SIZES = (10_000, 100_000, 1_000_000)  # users of the pool
WIDTH = 118  # characters of the widest table


def main() -> int:
    """Run the benchmark and print its tables.

    Returns:
        0 when it ran to its end, even if targets were missed; 1 when it did not.
    """
    call = _parse()
    return run(lambda log: _measure(call, log), width=WIDTH)


def _measure(call: argparse.Namespace, log: Console) -> list[RenderableType]:
    sizes = [size for size in SIZES if size <= call.largest]
    with (
        tempfile.TemporaryDirectory(prefix="staging-sync-bench-") as root,
        local_aws(Path(root) / "aws") as cloud,
        running(None) as servers,
    ):
        account = Account.of(cloud, servers.target)
        results: list[RenderableType] = []
        if call.only != "remap":
            results.append(report.of_listings(_list(account, sizes, call, log)))
        if call.only != "listing":
            results.append(report.of_remaps(_remap(account, servers, sizes, log)))
        return [*results, report.describe(servers, call.rate)]


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.cognito", description=__doc__)
    parser.add_argument(
        "--largest",
        type=int,
        default=SIZES[-1],
        help="leave out larger pools; listing 1,000,000 users takes ten minutes",
    )
    parser.add_argument("--only", choices=("listing", "remap"), help="one of the two")
    parser.add_argument("--rate", type=float, default=28.0, help="LIST_USERS_RPS")
    parser.add_argument("--budget", type=float, default=900.0, help="seconds of one invocation")
    return parser.parse_args()


def _list(
    account: Account, sizes: list[int], call: argparse.Namespace, log: Console
) -> list[ListingOutcome]:
    outcomes = []
    for size in sizes:
        log.print(f"Listing {size:,} users")
        outcomes.append(measure_listing(account, size, call.rate, call.budget))
        log.print(f"  {outcomes[-1]}")
    return outcomes


def _remap(
    account: Account, servers: Servers, sizes: list[int], log: Console
) -> list[RemapOutcome]:
    outcomes = []
    for size in sizes:
        log.print(f"Remapping {size:,} users")
        outcomes.append(measure_remap(account, servers.target, size))
        log.print(f"  {outcomes[-1]}")
    return outcomes


if __name__ == "__main__":
    sys.exit(main())
