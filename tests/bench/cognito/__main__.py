"""`make bench-cognito`: how fast a user pool is listed, and its subs written to the database."""

import argparse
import sys
import tempfile
from pathlib import Path

from rich.console import Console

from sandbox.cloud import local_aws
from sandbox.processes import SandboxError
from sandbox.signals import ending_in_order
from tests.bench.cognito import report
from tests.bench.cognito.lambdas import Account
from tests.bench.cognito.listing import ListingOutcome, measure_listing
from tests.bench.cognito.remap import RemapOutcome, measure_remap
from tests.bench.servers import Servers, running

SIZES = (10_000, 100_000, 1_000_000)  # users of the pool
WIDTH = 118  # characters, where nobody looks on


def main() -> int:
    """Run the benchmark and print its tables.

    Returns:
        0 when it ran to its end, whatever it found, missed targets too; 1 when not.
    """
    call = _parse()
    log = Console(stderr=True, highlight=False)
    sizes = [size for size in SIZES if size <= call.largest]
    try:
        with (
            ending_in_order(),
            tempfile.TemporaryDirectory(prefix="staging-sync-bench-") as root,
            local_aws(Path(root) / "aws") as cloud,
            running(None) as servers,
        ):
            account = Account.of(cloud, servers.target)
            listings = _list(account, sizes, call, log) if call.only != "remap" else []
            remaps = _remap(account, servers, sizes, log) if call.only != "listing" else []
            about = report.describe(servers, call.rate)
    except KeyboardInterrupt:
        log.print("Stopped; nothing is left behind.")
        return 1
    except (RuntimeError, OSError, SandboxError) as error:
        log.print(error, markup=False, soft_wrap=True)
        return 1
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = WIDTH
    if listings:
        console.print(report.of_listings(listings))
    if remaps:
        console.print(report.of_remaps(remaps))
    console.print(about)
    return 0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.cognito", description=__doc__)
    parser.add_argument(
        "--largest",
        type=int,
        default=SIZES[-1],
        help="leave out larger pools; to list 1,000,000 users takes ten minutes",
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
