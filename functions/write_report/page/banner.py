"""The verdict in words: did it work, and does staging equal production's snapshot of when."""

import json
from dataclasses import dataclass
from enum import StrEnum

from common.reports.failure import Failure
from common.reports.remap import RemapResult
from common.reports.sync import SyncResult
from write_report.advice import Then
from write_report.model import Report, Staging, Status
from write_report.verdict import Freshness, Logins, Verdict, wanted_of
from write_report.words import counted, listed, moment, number

STATUSES = {
    Status.SUCCEEDED: "Succeeded",
    Status.FAILED: "Failed",
    Status.TIMED_OUT: "Timed out",
    Status.ABORTED: "Aborted",
}
COMPLETE = '{"cognito_only": true}'


class Tone(StrEnum):
    """How a verdict looks."""

    GOOD = "good"
    NOTE = "note"  # done, and nothing was written, or no rows
    CARE = "care"  # something is left to do, or not known
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Error:
    """What the execution failed with."""

    name: str
    message: str
    reasons: tuple[str, ...] = ()


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
    if status is Status.SUCCEEDED:
        tone, headline, sentences = _succeeded(report, verdict)
    else:
        tone, headline, sentences = _failed(report, verdict)
    as_of, note = _as_of(verdict.freshness)
    advice = verdict.advice
    return Banner(
        tone=tone,
        status=STATUSES[status],
        headline=headline,
        sentences=tuple(sentence for sentence in sentences if sentence),
        as_of=as_of,
        as_of_note=note,
        error=_error(report),
        happened=advice.happened if advice else "",
        do=advice.do if advice else "",
        section=advice.section if advice else "",
        commands=_commands(report, verdict),
    )


def _succeeded(report: Report, verdict: Verdict) -> tuple[Tone, str, list[str]]:
    """Return what an execution that succeeded means."""
    wanted = wanted_of(report)
    tone = Tone.CARE if verdict.contradictions else Tone.GOOD
    if wanted.dry_run:
        return Tone.NOTE, *_rehearsed(report)
    if wanted.cognito_only:
        return (
            tone,
            "People's logins are linked again; no rows were synced",
            [_people(report, verdict), "The rows are as the last sync left them."],
        )
    sync = report.sync
    if not isinstance(sync, SyncResult):
        return tone, "The sync is done, but its report is missing", [_people(report, verdict)]
    told = [_equality(sync), _exceptions(sync), _people(report, verdict)]
    equals = "already equaled" if sync.status == "unchanged" else "equals"
    return tone, f"Staging {equals} production's snapshot of {moment(sync.snapshot)}", told


def _rehearsed(report: Report) -> tuple[str, list[str]]:
    """Return what a dry run means."""
    sentences = ["A dry run reads everything and writes nothing: staging is as it was before."]
    sync = report.sync
    if not isinstance(sync, SyncResult):
        return "Dry run: nothing was written", sentences
    changed = sum(table.action != "none" for table in sync.tables)
    if not changed:
        return "Dry run: nothing was written, and no table differs", sentences
    rows = counted(_written(sync), "row")
    return (
        f"Dry run: nothing was written; {counted(changed, 'table')} would change, {rows}",
        sentences,
    )


def _written(sync: SyncResult) -> int:
    return sum(each.rows_inserted + each.rows_updated + each.rows_deleted for each in sync.tables)


def _equality(sync: SyncResult) -> str:
    """Return how it was made equal, and how sure that is."""
    compared = f"{counted(len(sync.tables), 'table')} {'was' if len(sync.tables) == 1 else 'were'}"
    if sync.status == "unchanged":
        return f"{compared} compared, and nothing had to be written."
    how = (
        "in one transaction"
        if sync.atomic
        else "in parts, each in a transaction of its own, so that staging was partly old and partly"
        " new meanwhile"
    )
    checked = (
        "; what was written was read again before the commit and found equal"
        if sync.verified
        else "; it was not read again"
    )
    return f"{compared} compared, and the differences written {how}{checked}."


def _exceptions(sync: SyncResult) -> str:
    """Return what is not equal, because rules or the schema leave it to staging."""
    follow = "follows" if len(sync.following) == 1 else "follow"
    different = [
        *([counted(len(sync.masked), "masked column")] if sync.masked else []),
        *(
            [f"{counted(len(sync.following), 'column')} that {follow} people's subs"]
            if sync.following
            else []
        ),
        "columns that a rule keeps",
    ]
    alone = f"Not synced: {counted(len(sync.left_alone), 'table')}. " if sync.left_alone else ""
    return f"{alone}Different on purpose: {listed(different)}."


def _people(report: Report, verdict: Verdict) -> str:
    """Return what became of people's logins in an execution that succeeded."""
    if verdict.logins is Logins.NOT_ASKED:
        return (
            "Logins were not linked again, since the input does not ask for it: people keep the"
            " login that they had, and new ones have none yet."
        )
    if not isinstance(report.remap, RemapResult):
        return ""
    counts = report.remap.counts
    linked = counts.updated + counts.unchanged
    return (
        f"{counted(linked, 'person', 'people')} can log in with an account of staging's pool,"
        f" {number(counts.updated)} of them linked anew."
    )


def _failed(report: Report, verdict: Verdict) -> tuple[Tone, str, list[str]]:
    """Return what an execution that did not succeed means."""
    wanted = wanted_of(report)
    if wanted.dry_run:
        return Tone.BAD, "The dry run did not end; nothing was written", []
    if wanted.cognito_only:
        linked = (
            "may be linked or not" if verdict.logins is Logins.EITHER else "were not linked again"
        )
        return Tone.BAD, f"Logins {linked}; no rows were synced", [_logins(verdict)]
    match verdict.staging:
        case Staging.EQUAL:
            return Tone.CARE, *_without_logins(report, verdict)
        case Staging.BETWEEN:
            return (
                Tone.BAD,
                "The sync in parts did not end: staging is partly old and partly new",
                ["What is done stays done. The next sync that ends makes staging equal again."],
            )
        case Staging.EITHER:
            return (
                Tone.BAD,
                "The sync was cut off: staging is old or new, never half",
                _either(report),
            )
    return Tone.BAD, *_kept(report)


def _kept(report: Report) -> tuple[str, list[str]]:
    """Return why staging is as it was."""
    match report.execution.error:
        case "InvalidInput":
            return "The input was refused; nothing was touched", []
        case "TargetNotAllowed":
            return "The sync was refused; nothing was touched", []
        case "SyncInProgress":
            return (
                "Another run is at work; this one wrote nothing",
                ["The other run is changing staging, whose rows may be newer than this page says."],
            )
        case "DatabaseUnavailable":
            return (
                "The sync failed; staging's rows are as they were",
                [
                    "Everything happens in one transaction, and it was rolled back, unless the"
                    " connection broke during the commit itself: then staging is new, complete in"
                    " any case."
                ],
            )
    return (
        "The sync failed; staging's rows are as they were",
        ["Everything happens in one transaction, and it was rolled back."],
    )


def _without_logins(report: Report, verdict: Verdict) -> tuple[str, list[str]]:
    """Return what it means that a later step than the sync failed."""
    when = f" of {moment(verdict.freshness.moment)}" if verdict.freshness.moment else ""
    exceptions = _exceptions(report.sync) if isinstance(report.sync, SyncResult) else ""
    if verdict.logins is Logins.NOT_ASKED:
        return f"Staging equals production's snapshot{when}", [exceptions]
    headline = f"The rows equal production's snapshot{when}, but logins were not linked again"
    if verdict.logins is Logins.EITHER:
        headline = f"The rows equal production's snapshot{when}; logins are old or new"
    return headline, [_logins(verdict), exceptions]


def _logins(verdict: Verdict) -> str:
    """Return what people's logins are after a failure."""
    if verdict.logins is Logins.EITHER:
        return (
            "Logins are linked in one transaction: nobody saw whether it was committed, so all of"
            " them are old or all of them new."
        )
    return "People who could log in still can, since their subs are kept; new people cannot yet."


def _either(report: Report) -> list[str]:
    """Return what staging may be after a sync that was cut off."""
    sentences = ["Everything happens in one transaction, and nobody saw whether it was committed."]
    if isinstance(report.sync, SyncResult):
        sentences.append(
            "The sync's report is there, but it is written right before the commit and proves"
            " nothing. If it was committed, staging equals production's snapshot of"
            f" {moment(report.sync.snapshot)}, and the next sync says “unchanged” or little else."
        )
    return sentences


def _as_of(freshness: Freshness) -> tuple[str, str]:
    """Return the moment that staging's rows are of, and what to know about it."""
    if freshness.is_between:
        return "", "several moments, since a sync in parts did not end"
    if not freshness.moment:
        return "", "unknown: no run that the bucket still holds says so"
    return freshness.moment, "or newer" if freshness.is_at_least else ""


def _error(report: Report) -> Error | None:
    """Return what it failed with; of a step's own file if that holds the same error."""
    execution = report.execution
    if execution.status is Status.SUCCEEDED or not (execution.error or execution.cause):
        return None
    for found in (report.remap, report.sync):
        if isinstance(found, Failure) and found.error == execution.error:
            return Error(found.error, found.message, found.reasons)
    return Error(execution.error or "No error", _message(execution.cause))


def _message(cause: str) -> str:
    """Return the message in a cause, which of a Lambda is JSON with a stack trace."""
    try:
        found = json.loads(cause)
    except ValueError:
        return cause
    message = found.get("errorMessage") if isinstance(found, dict) else None
    return message if isinstance(message, str) else cause


def _commands(report: Report, verdict: Verdict) -> tuple[str, ...]:
    """Return what to run; nothing for the command, which is run again as it was."""
    advice = verdict.advice
    if advice is None or not report.execution.console or advice.then is Then.NOTHING:
        return ()
    redrive = 'aws stepfunctions redrive-execution --execution-arn "$EXECUTION"'
    wanted = wanted_of(report)
    flags = {
        "sync_cognito": wanted.sync_cognito,
        "cognito_only": wanted.cognito_only,
        "dry_run": wanted.dry_run,
    }
    again = json.dumps({name: True for name, is_set in flags.items() if is_set})
    start = "make start ENV=\"$ENV\" INPUT='{}'"
    if verdict.needs_remap:
        return redrive, start.replace("{}", COMPLETE)
    return (redrive,) if advice.then is Then.REDRIVE else (start.replace("{}", again),)
