"""The tables that `make bench-cognito` prints."""

from collections.abc import Sequence

from rich import box
from rich.table import Table

from tests.bench.cognito.listing import LATENCY, ListingOutcome
from tests.bench.cognito.remap import SAMPLE, RemapOutcome
from tests.bench.report import MEGABYTE, machine, postgresql
from tests.bench.servers import Servers
from tests.support.cognito_service import QUOTA

MUST_MEMORY_OF_LAMBDA = 150  # MB
MUST_SHARE = 0.9  # of the rate that is set
MUST_PAGED = 2.5  # times as fast as the paginator
MUST_REMAP = 100  # times as fast as one by one, for 1,000,000 users


def of_listings(outcomes: Sequence[ListingOutcome]) -> Table:
    """Return the table of the listings."""
    table = _table(
        "users", "listing", "invocations", "requests", "of the rate", "paginator", "ratio", "memory"
    )
    for outcome in outcomes:
        paged = outcome.paginator_seconds
        ratio = paged / outcome.seconds if paged else None
        share = outcome.requests_per_second / outcome.rate
        table.add_row(
            f"{outcome.users:,}",
            f"{outcome.seconds:.1f} s",
            f"{outcome.invocations}",
            f"{outcome.requests_per_second:.1f}/s, {outcome.throttled} throttled",
            f"{share:.2f} {_verdict(share >= MUST_SHARE)}",
            f"{paged:.1f} s" if paged else "",
            f"{ratio:.2f} {_verdict(ratio >= MUST_PAGED)}" if ratio else "",
            _memory(outcome.peak_memory),
        )
    return table


def of_remaps(outcomes: Sequence[RemapOutcome]) -> Table:
    """Return the table of the remaps."""
    table = _table(
        "users",
        "remap",
        "dry run",
        "second run",
        "masked",
        "one by one",
        "for a user",
        "ratio",
        "memory",
    )
    for outcome in outcomes:
        counts = outcome.users >= 1_000_000
        table.add_row(
            f"{outcome.users:,}",
            f"{outcome.seconds:.2f} s",
            f"{outcome.dry_seconds:.2f} s",
            f"{outcome.second_seconds:.2f} s",
            f"{outcome.masked_seconds:.2f} s",
            f"{outcome.one_by_one_seconds:,.0f} s",
            f"{outcome.one_by_one_seconds / outcome.users * 1000:.2f} ms",
            f"{outcome.ratio:.0f}" + (f" {_verdict(outcome.ratio >= MUST_REMAP)}" * counts),
            _memory(outcome.peak_memory),
        )
    return table


def describe(servers: Servers, rate: float) -> str:
    """Return the conditions of the measurement, and the figures that must be reached."""
    return (
        f"{machine()}; one run. A simulated Cognito with {LATENCY * 1000:.0f} ms for a call"
        f" and a quota of {QUOTA}/s, LIST_USERS_RPS={rate:g}; {postgresql(servers.target)},"
        f" 10% of the rows changed, one by one measured on {SAMPLE:,} users. Must:"
        f" {MUST_SHARE:.0%} of the rate, {MUST_PAGED} times the paginator, {MUST_REMAP} times"
        f" one by one (1,000,000 users), {MUST_MEMORY_OF_LAMBDA} MB."
    )


def _table(*headings: str) -> Table:
    table = Table(box=box.ASCII2)
    for heading in headings:
        table.add_column(heading, justify="right", no_wrap=True)
    return table


def _memory(peak: int) -> str:
    return f"{peak / MEGABYTE:.0f} MB {_verdict(peak <= MUST_MEMORY_OF_LAMBDA * MEGABYTE)}"


def _verdict(is_reached: bool) -> str:
    return "must" if is_reached else "MISSED"
