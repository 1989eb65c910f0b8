"""What is seen first: did it work, and does staging equal production's snapshot of when."""

from dataclasses import dataclass

from write_report.model import Report, Status
from write_report.page.failure import Error, commands, error, tell_failure
from write_report.page.success import tell_success
from write_report.page.tone import Tone
from write_report.verdict import Freshness, Verdict

STATUSES = {
    Status.SUCCEEDED: "Succeeded",
    Status.FAILED: "Failed",
    Status.TIMED_OUT: "Timed out",
    Status.ABORTED: "Aborted",
}


@dataclass(frozen=True, slots=True)
class Banner:
    """The first thing that is seen.

    `sentences` say what staging is like; `as_of` is the moment that its rows are of, "" if
    unknown, and `as_of_note` what to know about that. `commands`: what to run, in this order.
    """

    tone: Tone
    status: str
    headline: str
    sentences: tuple[str, ...]
    as_of: str
    as_of_note: str
    error: Error | None
    happened: str = ""
    do: str = ""
    section: str = ""
    commands: tuple[str, ...] = ()


def banner(report: Report, verdict: Verdict) -> Banner:
    """Return the verdict in words."""
    status = report.execution.status
    tell = tell_success if status is Status.SUCCEEDED else tell_failure
    told = tell(report, verdict)
    as_of, note = _as_of(verdict.freshness)
    advice = verdict.advice
    return Banner(
        tone=told.tone,
        status=STATUSES[status],
        headline=told.headline,
        sentences=tuple(sentence for sentence in told.sentences if sentence),
        as_of=as_of,
        as_of_note=note,
        error=error(report, verdict),
        happened=advice.happened if advice else "",
        do=advice.do if advice else "",
        section=advice.section if advice else "",
        commands=commands(report, verdict),
    )


def _as_of(freshness: Freshness) -> tuple[str, str]:
    """Return the moment that staging's rows are of, and what to know about it."""
    if freshness.is_between:
        return "", "several moments, since a sync in parts did not end"
    if not freshness.moment:
        return "", "unknown: no earlier run says so"
    return freshness.moment, "or newer" if freshness.is_at_least else ""
