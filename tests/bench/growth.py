"""`make bench-growth`: a chart of how a sync's seconds grow with rows, changes and tables."""

import argparse
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.ticker import ScalarFormatter
from rich import box
from rich.console import Console
from rich.table import Table

from sandbox.signals import ending_in_order
from tests.bench import data, many_tables
from tests.bench.measure import run_sync
from tests.bench.servers import Servers, running

CHART = Path(__file__).resolve().parents[2] / "docs" / "growth.svg"
RUNS = 3  # of which the median is shown
SCALES = (0.02, 0.05, 0.1, 0.2, 0.4)
CHANGES_SCALE = 0.1
CHANGES = (0.0, 0.001, 0.01, 0.05, 0.2, 0.5, 1.0)  # shares of the orders
TABLES = (1, 50, 100, 200, 400)


@dataclass(frozen=True, slots=True)
class Series:
    """One curve: what grows, and the seconds; `is_wide`: it grows by powers of ten."""

    panel: str
    name: str
    points: list[tuple[float, float]]
    is_wide: bool = False


def main() -> int:
    """Measure, print a table and draw the chart; return 0."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.growth", description=__doc__)
    parser.add_argument("--chart", type=Path, default=CHART, help="the SVG to write")
    call = parser.parse_args()
    log = Console(stderr=True, highlight=False)
    with ending_in_order():
        series = [curve for measure in (by_rows, by_changes, by_tables) for curve in measure(log)]
    table = Table("grows", "case", "at", "seconds", box=box.ASCII2)
    for curve in series:
        for at, seconds in curve.points:
            table.add_row(curve.panel, curve.name, f"{at:,.10g}", f"{seconds:.2f}")
    Console(highlight=False).print(table)
    draw(series, call.chart)
    return 0


def by_rows(log: Console) -> Iterator[Series]:
    """Measure an initial load, and a sync without changes, for more and more rows (millions)."""
    load: list[tuple[float, float]] = []
    nothing: list[tuple[float, float]] = []
    for scale in SCALES:
        with running(None) as servers:
            data.build(servers, scale)
            rows = servers.source.value("SELECT sum(reltuples) FROM pg_class WHERE relkind = 'r'")
            millions = float(rows) / 1e6
            load.append((millions, _seconds(servers, data.empty_target)))
            nothing.append((millions, _seconds(servers, data.change_nothing)))
            log.print(f"{millions:.2f} million rows: {load[-1][1]:.2f} s, {nothing[-1][1]:.2f} s")
    yield Series("rows (millions)", "initial load", load)
    yield Series("rows (millions)", "nothing changed", nothing)


def by_changes(log: Console) -> Iterator[Series]:
    """Measure a sync of growing shares of changed orders (percent), scattered over the table."""
    points: list[tuple[float, float]] = []
    with running(None) as servers:
        data.build(servers, CHANGES_SCALE)
        run_sync(servers)
        for share in CHANGES:
            update = (
                "UPDATE orders SET amount = amount + 1"
                f" WHERE (hashint8(id) & 65535) < {share * 65536:.0f}"
            )
            points.append((share * 100, _seconds(servers, _updating(update))))
            log.print(f"{share:.1%} of the orders changed: {points[-1][1]:.2f} s")
    name = f"{data.ORDERS * CHANGES_SCALE:,.0f} orders"
    yield Series("changed orders (%)", name, points, is_wide=True)


def by_tables(log: Console) -> Iterator[Series]:
    """Measure a sync without changes for growing numbers of small tables."""
    points: list[tuple[float, float]] = []
    with running(None) as servers:
        made = 0
        for count in TABLES:
            many_tables.add(servers, range(made, count))
            made = count
            run_sync(servers)
            points.append((count, _seconds(servers, data.change_nothing)))
            log.print(f"{count} tables: {points[-1][1]:.2f} s")
    yield Series("tables of 200 rows", "nothing changed", points)


def _seconds(servers: Servers, prepare: Callable[[Servers], int]) -> float:
    """Return the median seconds of several syncs, each after the same preparation."""
    taken: list[float] = []
    for _ in range(RUNS):
        prepare(servers)
        data.settle(servers)
        taken.append(run_sync(servers)[0])
    return median(taken)


def _updating(statement: str) -> Callable[[Servers], int]:
    return lambda servers: servers.source.execute(statement)


def draw(series: list[Series], path: Path) -> None:
    """Draw a panel for each quantity that grows, and write the SVG."""
    # Without a date and with fixed ids, so that the same figures give the same file.
    mpl.rcParams["svg.hashsalt"] = "staging-sync"
    panels = list(dict.fromkeys(curve.panel for curve in series))
    figure = Figure(figsize=(11, 3.4), layout="constrained")
    for axes, panel in zip(figure.subplots(1, len(panels)), panels, strict=True):
        for curve in (curve for curve in series if curve.panel == panel):
            axes.plot(*zip(*curve.points, strict=True), marker="o", label=curve.name)
            if curve.is_wide:
                axes.set_xscale("symlog", linthresh=0.1)
                axes.xaxis.set_major_formatter(ScalarFormatter())
        axes.set_xlabel(panel)
        axes.set_ylabel("seconds")
        axes.set_xlim(left=0)
        axes.set_ylim(bottom=0)
        axes.grid(alpha=0.3)
        axes.legend(frameon=False)
    figure.savefig(path, metadata={"Date": None})


if __name__ == "__main__":
    sys.exit(main())
