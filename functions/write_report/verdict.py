"""What an execution means for staging, in the words that a careful DBA would choose.

The status and the error of the execution count before its files, which may be those of an earlier
attempt. `db-sync.json` is written right before the commit, so that it alone proves none; what a
later state left does.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from common.event import ExecutionInput
from common.reports.failure import Failure
from common.reports.sync import SyncResult
from write_report.advice import Advice, advise
from write_report.model import Report, Staging, Status, Summary

# What the listing fails with, where one is asked for. Had DbSync failed with it, its file would say
# so.
AFTER_THE_SYNC = frozenset(
    {"CognitoUnavailable", "ConfigurationError", "OutOfTime", "StagingSyncError"}
)
# A step that has failed so is tried again: its file may be an earlier attempt's.
RETRIED = frozenset({"TargetBusy", "DatabaseUnavailable"})


class Logins(StrEnum):
    """What an execution left people's logins in staging as."""

    LINKED = "linked"  # to staging's pool, by this execution
    NOT_ASKED = "not asked"  # the input asked for no remap
    KEPT = "kept"  # people who could log in still can; new ones cannot yet
    EITHER = "either"  # old or new, never half


class Freshness(NamedTuple):
    """How old staging's rows are: equal to production's snapshot of `moment`, "" if unknown.

    `is_at_least`: a run since then may have committed unseen, so that they may be newer.
    `is_between`: a sync in parts did not end, so that they are of several moments.
    """

    moment: str = ""
    is_at_least: bool = False
    is_between: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an execution means.

    `staging` and `logins` are what it left, `freshness` how old staging's rows are now. `error` is
    what it failed with, "" if it did not or nobody knows, and `advice` what to do about that.
    `contradictions`: files that are missing, or do not fit how the execution ended.
    """

    staging: Staging
    logins: Logins
    freshness: Freshness
    error: str = ""
    advice: Advice | None = None
    contradictions: tuple[str, ...] = ()

    @property
    def needs_remap(self) -> bool:
        """Whether the rows are there and `{"cognito_only": true}` would complete the logins."""
        return self.staging is Staging.EQUAL and self.logins in {Logins.KEPT, Logins.EITHER}


def judge(report: Report) -> Verdict:
    """Return what an execution means for staging."""
    staging = _staging(report)
    return Verdict(
        staging=staging,
        logins=_logins(report, staging),
        freshness=_freshness(report, staging),
        error=error_of(report),
        advice=_advice(report),
        contradictions=tuple(_contradictions(report)),
    )


def error_of(report: Report) -> str:
    """Return what it failed with: if AWS does not say (encrypted), what a step's file says."""
    if report.execution.error or report.execution.status is not Status.FAILED:
        return report.execution.error
    failures = (found for found in (report.remap, report.sync) if isinstance(found, Failure))
    lasting = (failure.error for failure in failures if failure.error not in RETRIED)
    return next(lasting, "")


def _advice(report: Report) -> Advice | None:
    return advise(report.execution.status, error_of(report))


def wanted_of(report: Report) -> ExecutionInput:
    """Return what was asked for: if the input is not known (encrypted), as its files show it."""
    if report.execution.input:
        return report.execution.input
    has_people = report.listing is not None or report.remap is not None
    return ExecutionInput(
        sync_cognito=has_people and report.sync is not None,
        cognito_only=has_people and report.sync is None,
        dry_run=isinstance(report.sync, SyncResult) and report.sync.status == "dry_run",
    )


def _staging(report: Report) -> Staging:
    """Return what it left staging's rows as."""
    wanted = wanted_of(report)
    if wanted.dry_run or wanted.cognito_only:
        return Staging.KEPT
    if report.execution.status is Status.SUCCEEDED:
        is_known = report.execution.input or isinstance(report.sync, SyncResult)
        return Staging.EQUAL if is_known else Staging.EITHER
    if (isinstance(report.sync, SyncResult) or _went_on(report)) and _is_proven(report):
        return Staging.EQUAL
    if report.is_divided:
        return Staging.BETWEEN
    if isinstance(report.sync, SyncResult):
        return Staging.EITHER
    advice = _advice(report)
    return Staging.KEPT if advice and advice.is_clean else Staging.EITHER


def _went_on(report: Report) -> bool:
    """Return whether a state after the sync has left something.

    Not if the sync's file holds the very error that the execution failed with.
    """
    is_of_sync = isinstance(report.sync, Failure) and report.sync.error == error_of(report)
    return not is_of_sync and (report.listing is not None or report.remap is not None)


def _is_proven(report: Report) -> bool:
    """Return whether the sync was certainly committed, or had nothing to commit."""
    if _went_on(report):
        return True
    if wanted_of(report).sync_cognito and error_of(report) in AFTER_THE_SYNC:
        return True
    return isinstance(report.sync, SyncResult) and report.sync.status == "unchanged"


def _logins(report: Report, staging: Staging) -> Logins:
    """Return what it left people's logins as."""
    wanted = wanted_of(report)
    if wanted.dry_run or not (wanted.sync_cognito or wanted.cognito_only):
        return Logins.NOT_ASKED
    if report.execution.status is Status.SUCCEEDED:
        return Logins.LINKED
    advice = _advice(report)
    if isinstance(report.remap, Failure) and report.remap.error == error_of(report):
        return Logins.KEPT
    is_remap_possible = report.remap is not None or (
        report.listing is not None and report.listing.is_complete
    )
    may_be_committed = is_remap_possible and not (advice and advice.is_clean)
    return Logins.EITHER if may_be_committed and staging is not Staging.EITHER else Logins.KEPT


def _freshness(report: Report, staging: Staging) -> Freshness:
    """Return how old staging's rows are after the execution."""
    match staging:
        case Staging.EQUAL:
            return Freshness(report.sync.snapshot if isinstance(report.sync, SyncResult) else "")
        case Staging.BETWEEN:
            return Freshness(is_between=True)
    before = last_known(report.previous)
    return before._replace(is_at_least=before.is_at_least or staging is Staging.EITHER)


def last_known(previous: Sequence[Summary]) -> Freshness:
    """Return how old staging's rows are after runs, the oldest first."""
    is_at_least = False
    for run in reversed(previous):
        if run.dry_run or run.staging is Staging.KEPT:
            continue
        if run.staging is Staging.EQUAL:
            return Freshness(run.snapshot, is_at_least)
        if run.staging is Staging.BETWEEN:
            return Freshness(is_at_least=is_at_least, is_between=True)
        is_at_least = True
    return Freshness(is_at_least=is_at_least)


def _contradictions(report: Report) -> list[str]:
    """Return what cannot be read, and what of an execution that succeeded does not fit that."""
    found = [f"{name} could not be read, so that this page lacks it." for name in report.unreadable]
    if report.execution.status is not Status.SUCCEEDED:
        return found
    wanted = wanted_of(report)
    steps = {
        "db-sync.json": (not wanted.cognito_only, report.sync),
        "cognito-mapping.json": (wanted.sync_cognito or wanted.cognito_only, report.remap),
    }
    for name, (is_expected, result) in steps.items():
        if is_expected and result is None and name not in report.unreadable:
            found.append(f"{name} is missing, so that this page cannot show what it has.")
        if isinstance(result, Failure):
            found.append(f"{name} is of an attempt that failed, though the execution succeeded.")
    return found
