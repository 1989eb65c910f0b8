"""How long it took: the steps of the execution, the sync's phases, and the largest tables."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from markupsafe import Markup

from common.reports.failure import Failure
from common.reports.remap import RemapResult
from common.reports.sync import SyncResult
from write_report.model import Report, Status
from write_report.page.charts import Span, bar, timeline
from write_report.words import counted, parsed

LARGEST = 10
LONG = 10  # seconds; of less, milliseconds tell something
# The phases in their order, each with what it does.
PHASES: Mapping[str, str] = {
    "compare": "reads both sides and compares them",
    "fetch": "reads the rows that may differ",
    "merge": "writes the rows that differ",
    "copy": "copies whole tables",
    "index": "builds their indexes",
    "verify": "reads again what was written",
    "count": "counts what a copy changed",
}


@dataclass(frozen=True, slots=True)
class Phase:
    """A phase with its seconds over all tables; `kind` is the class of its colour."""

    name: str
    what: str
    seconds: float
    kind: str
    bar: Markup


@dataclass(frozen=True, slots=True)
class Line:
    """A table with its seconds by phase, in the order of the phases."""

    table: str
    seconds: float
    by_phase: tuple[float | None, ...]
    bar: Markup


@dataclass(frozen=True, slots=True)
class Timing:
    """How long everything took; `total` is the execution, in seconds.

    `decimals`: how many the seconds of phases and tables are shown with.
    """

    total: float
    chart: Markup
    phases: tuple[Phase, ...]
    tables: tuple[Line, ...]
    tables_timed: int
    decimals: int = 1


def timing(report: Report) -> Timing:
    """Return how long the execution, its steps, the sync's phases and the tables took."""
    total = total_seconds(report)
    chart = timeline("The execution and its steps, from its start", spans(report), total)
    if not isinstance(report.sync, SyncResult):
        return Timing(total, chart, (), (), 0)
    sums: dict[str, float] = defaultdict(float)
    for table in report.sync.tables:
        for phase, seconds in table.seconds.items():
            sums[phase] += seconds
    names = [*(name for name in PHASES if name in sums), *sorted(set(sums) - set(PHASES))]
    names = names[: len(PHASES) + 1]
    decimals = 1 if max(sums.values(), default=0.0) >= LONG else 3
    return Timing(
        total, chart, _phases(names, sums), *_tables(report.sync, names), decimals=decimals
    )


def total_seconds(report: Report) -> float:
    """Return how long the execution took; 0 if its moments are none."""
    start, end = parsed(report.execution.started_at), parsed(report.execution.ended_at)
    return max((end - start).total_seconds(), 0.0) if start and end else 0.0


def spans(report: Report) -> list[Span]:
    """Return the execution and the steps whose time is known."""
    has_failed = report.execution.status is not Status.SUCCEEDED
    whole = Span("Execution", 0, total_seconds(report), "whole failed" if has_failed else "whole")
    sync = _step(report, "SyncDatabase", report.sync)
    remap = _step(report, "UpdateDatabase", report.remap)
    listing = _listing(report, whole, sync, remap)
    return [span for span in (whole, sync, listing, remap) if span]


def _step(
    report: Report, label: str, result: SyncResult | RemapResult | Failure | None
) -> Span | None:
    """Return when a step was at work, within the execution; None if that is not known."""
    if result is None or isinstance(result, Failure):
        return None
    begin, start = parsed(report.execution.started_at), parsed(result.started_at)
    if not begin or not start:
        return None
    total = total_seconds(report)
    first = min(max((start - begin).total_seconds(), 0.0), total)
    return Span(label, first, min(first + result.duration_seconds, total))


def _listing(report: Report, whole: Span, sync: Span | None, remap: Span | None) -> Span | None:
    """Return when the pool was listed: from the sync's end to the remap's start."""
    if report.listing is None or (sync is None and report.sync is not None):
        return None
    start = sync.end if sync else 0.0
    users = counted(report.listing.users, "user")
    if remap:
        return Span("ListCognitoUsers", start, max(remap.start, start), note=users)
    if report.listing.is_complete:
        return Span("ListCognitoUsers and UpdateDatabase", start, whole.end, note=users)
    return Span("ListCognitoUsers", start, whole.end, note=f"{users} so far")


def _phases(names: list[str], sums: Mapping[str, float]) -> tuple[Phase, ...]:
    most = max(sums.values(), default=0.0)
    return tuple(
        Phase(
            name,
            PHASES.get(name, ""),
            sums[name],
            f"p{number}",
            bar([0] * number + [sums[name]], most, stretches=True),
        )
        for number, name in enumerate(names)
    )


def _tables(sync: SyncResult, names: list[str]) -> tuple[tuple[Line, ...], int]:
    """Return the tables that took longest, and how many took any time at all."""
    timed = [(sum(table.seconds.values()), table) for table in sync.tables if table.seconds]
    timed.sort(key=lambda each: (-each[0], each[1].table))
    most = timed[0][0] if timed else 0.0
    lines = tuple(
        Line(
            table.table,
            seconds,
            tuple(table.seconds.get(name) for name in names),
            bar([table.seconds.get(name, 0.0) for name in names], most),
        )
        for seconds, table in timed[:LARGEST]
    )
    return lines, len(timed)
