"""This execution beside the ones before it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from common.reports.remap import RemapResult
from common.reports.sync import SyncResult
from write_report.model import Report, Staging, Status, Summary
from write_report.page.charts import Column, columns
from write_report.page.people import people
from write_report.page.timing import total_seconds
from write_report.verdict import judge, wanted_of
from write_report.words import duration, moment, number

MOST = 30  # runs
FAILED = "\N{MULTIPLICATION SIGN}"


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart of the runs, with its greatest value in words."""

    title: str
    most: str
    image: Markup


@dataclass(frozen=True, slots=True)
class History:
    """The runs, the oldest first and this one last; `earlier` are left out."""

    runs: tuple[Summary, ...]
    earlier: int
    charts: tuple[Chart, ...]


def summarize(report: Report) -> Summary:
    """Return a run as the next ones compare themselves with it.

    It has no rows if nobody knows whether they were committed.
    """
    execution, sync, remap = report.execution, report.sync, report.remap
    done = sync if isinstance(sync, SyncResult) else None
    linked = people(remap) if isinstance(remap, RemapResult) else None
    verdict = judge(report)
    output = done.output() if done and verdict.staging is not Staging.EITHER else {}
    return Summary(
        execution=execution.name,
        status=execution.status,
        started_at=execution.started_at,
        ended_at=execution.ended_at,
        seconds=total_seconds(report),
        dry_run=wanted_of(report).dry_run,
        error=verdict.error,
        sync=done.status if done else None,
        snapshot=done.snapshot if done else "",
        tables_changed=output.get("tables_changed"),
        rows=sum(output[f"rows_{kind}"] for kind in ("inserted", "updated", "deleted"))
        if output
        else None,
        linked=linked.linked if linked else None,
        left_out=linked.left_out if linked else None,
        warnings=sum(len(result.notices) for result in (done, linked and linked.remap) if result),
        staging=verdict.staging,
    )


def history(report: Report) -> History:
    """Return the runs that the bucket still holds, and charts of them."""
    every = (*report.previous, summarize(report))
    runs = every[-MOST:]
    charts = (
        _chart(runs, "Duration", [run.seconds for run in runs], duration),
        _chart(runs, "Rows written", [run.rows for run in runs], number),
        _chart(runs, "People linked", [run.linked for run in runs], number),
    )
    return History(runs, len(every) - len(runs), tuple(chart for chart in charts if chart))


def kind_of(run: Summary) -> str:
    """Return how a run ended, in a word."""
    if run.status is not Status.SUCCEEDED:
        return {"FAILED": "failed", "TIMED_OUT": "timed out", "ABORTED": "aborted"}[run.status]
    return "dry run" if run.dry_run else run.sync or "logins only"


def _chart(
    runs: Sequence[Summary],
    title: str,
    values: Sequence[float | None],
    say: Callable[[float], str],
) -> Chart | None:
    """Return a chart of the runs' values; None if no run has any."""
    known = [value for value in values if value is not None]
    if not known:
        return None
    drawn = [
        Column(
            label=f"{moment(run.started_at)}, {kind_of(run)}",
            value=value,
            shown="none" if value is None else say(value),
            kind=" ".join(_classes(run, is_this=run is runs[-1])),
            sign="" if run.status is Status.SUCCEEDED else FAILED,
        )
        for run, value in zip(runs, values, strict=True)
    ]
    return Chart(title, say(max(known)), columns(f"{title} of the last runs", drawn))


def _classes(run: Summary, *, is_this: bool) -> list[str]:
    return [
        name
        for name, applies in (
            ("this", is_this),
            ("failed", run.status is not Status.SUCCEEDED),
            ("dry", run.dry_run),
        )
        if applies
    ]
