"""What an execution that did not succeed means, in words, and what to run."""

import json
from dataclasses import dataclass

from common.reports.failure import Failure
from common.reports.sync import SyncResult
from write_report.advice import Then
from write_report.model import Report, Staging, Status
from write_report.page.success import exceptions
from write_report.page.tone import Told, Tone
from write_report.verdict import Logins, Verdict, wanted_of
from write_report.words import moment

REDRIVE = 'aws stepfunctions redrive-execution --execution-arn "$EXECUTION"'
START = "make start ENV=\"$ENV\" INPUT='{}'"
ROLLED_BACK = "Everything happens in one transaction, and it was rolled back"


@dataclass(frozen=True, slots=True)
class Error:
    """What the execution failed with."""

    name: str
    message: str
    reasons: tuple[str, ...] = ()


def tell_failure(report: Report, verdict: Verdict) -> Told:
    """Return what it means for staging."""
    wanted = wanted_of(report)
    if wanted.dry_run:
        return Told(Tone.BAD, "The dry run did not end; nothing was written")
    if wanted.cognito_only:
        linked = (
            "may be linked or not" if verdict.logins is Logins.EITHER else "were not linked again"
        )
        return Told(Tone.BAD, f"Logins {linked}; no rows were synced", (_logins(verdict),))
    match verdict.staging:
        case Staging.EQUAL:
            return _synced(report, verdict)
        case Staging.BETWEEN:
            return Told(
                Tone.BAD,
                "The sync in parts did not end: staging is partly old and partly new",
                ("What is done stays done. The next sync that ends makes staging equal again.",),
            )
        case Staging.EITHER:
            return _cut_off(report)
    return _kept(verdict)


def _kept(verdict: Verdict) -> Told:
    """Return why staging is as it was."""
    headline, sentence = "The sync failed; staging's rows are as they were", f"{ROLLED_BACK}."
    match verdict.error:
        case "InvalidInput":
            headline, sentence = "The input was refused; nothing was touched", ""
        case "TargetNotAllowed":
            headline, sentence = "The sync was refused; nothing was touched", ""
        case "SyncInProgress":
            headline = "Another run is at work; this one wrote nothing"
            sentence = "The other run is changing staging, whose rows may be newer than this says."
        case "DatabaseUnavailable":
            sentence = (
                f"{ROLLED_BACK}, unless the connection broke during the commit itself: then staging"
                " is new, complete in any case."
            )
    return Told(Tone.BAD, headline, (sentence,))


def _synced(report: Report, verdict: Verdict) -> Told:
    """Return what it means that a later step than the sync did not succeed."""
    when = f" of {moment(verdict.freshness.moment)}" if verdict.freshness.moment else ""
    rows = f"production's snapshot{when}"
    alone = exceptions(report.sync) if isinstance(report.sync, SyncResult) else ""
    match verdict.logins:
        case Logins.NOT_ASKED:
            return Told(Tone.CARE, f"Staging equals {rows}", (alone,))
        case Logins.EITHER:
            headline = f"The rows equal {rows}; logins are old or new"
        case _:
            headline = f"The rows equal {rows}, but logins were not linked again"
    return Told(Tone.CARE, headline, (_logins(verdict), alone))


def _logins(verdict: Verdict) -> str:
    """Return what people's logins are."""
    if verdict.logins is Logins.EITHER:
        return (
            "Logins are linked in one transaction: nobody saw whether it was committed, so all of"
            " them are old or all of them new."
        )
    return "People who could log in still can, since their subs are kept; new people cannot yet."


def _cut_off(report: Report) -> Told:
    """Return what staging may be after a sync that was cut off."""
    sentences = ["Everything happens in one transaction, and nobody saw whether it was committed."]
    if isinstance(report.sync, SyncResult):
        sentences.append(
            "The sync's report is there, but it is written right before the commit and proves"
            " nothing. If it was committed, staging equals production's snapshot of"
            f" {moment(report.sync.snapshot)}, and the next sync says “unchanged” or little else."
        )
    return Told(
        Tone.BAD, "The sync was cut off: staging is old or new, never half", tuple(sentences)
    )


def error(report: Report, verdict: Verdict) -> Error | None:
    """Return what it failed with; of a step's own file if that holds the same error."""
    execution = report.execution
    if execution.status is Status.SUCCEEDED or not (verdict.error or execution.cause):
        return None
    for found in (report.remap, report.sync):
        if isinstance(found, Failure) and found.error == verdict.error:
            return Error(found.error, found.message, found.reasons)
    return Error(verdict.error or "No error", execution.cause)


def commands(report: Report, verdict: Verdict) -> tuple[str, ...]:
    """Return what to run; nothing for the command, which is run again as it was."""
    advice = verdict.advice
    if advice is None or not report.execution.console or advice.then is Then.NOTHING:
        return ()
    if verdict.needs_remap:
        return REDRIVE, START.replace("{}", '{"cognito_only": true}')
    if advice.then is Then.REDRIVE:
        return (REDRIVE,)
    wanted = report.execution.input
    if wanted is None:
        return ()
    flags = {
        "sync_cognito": wanted.sync_cognito,
        "cognito_only": wanted.cognito_only,
        "dry_run": wanted.dry_run,
    }
    given = {name: True for name, is_set in flags.items() if is_set}
    return (START.replace("{}", json.dumps(given)),)
