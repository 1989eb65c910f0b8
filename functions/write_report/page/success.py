"""What an execution that succeeded means, in words."""

from common.reports.remap import RemapResult
from common.reports.sync import SyncResult
from write_report.model import Report
from write_report.page.tone import Told, Tone
from write_report.verdict import Logins, Verdict, wanted_of
from write_report.words import counted, listed, moment, number


def tell_success(report: Report, verdict: Verdict) -> Told:
    """Return what an execution that succeeded means."""
    wanted = wanted_of(report)
    tone = Tone.CARE if verdict.contradictions else Tone.GOOD
    if wanted.dry_run:
        return _rehearsed(report)
    linked = _people(report, verdict)
    if wanted.cognito_only:
        return Told(
            tone,
            "People's logins are linked again; no rows were synced",
            (linked, "The rows are as the last sync left them."),
        )
    sync = report.sync
    if not isinstance(sync, SyncResult):
        return Told(tone, "The sync is done, but its report is missing", (linked,))
    equals = "already equaled" if sync.status == "unchanged" else "equals"
    return Told(
        tone,
        f"Staging {equals} production's snapshot of {moment(sync.snapshot)}",
        (_equality(sync), exceptions(sync), linked),
    )


def _rehearsed(report: Report) -> Told:
    """Return what a dry run means."""
    headline = "Dry run: nothing was written"
    if isinstance(report.sync, SyncResult):
        changed = sum(table.action != "none" for table in report.sync.tables)
        tables, rows = counted(changed, "table"), counted(_written(report.sync), "row")
        headline += f"; {tables} would change, {rows}" if changed else ", and no table differs"
    return Told(
        Tone.NOTE,
        headline,
        ("A dry run reads everything and writes nothing: staging is as it was before.",),
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


def exceptions(sync: SyncResult) -> str:
    """Return what is not equal, because rules or the schema leave it to staging."""
    follow = "follows" if len(sync.following) == 1 else "follow"
    different = [
        *([counted(len(sync.masked), "masked column")] if sync.masked else []),
        *(
            [f"{counted(len(sync.following), 'column')} that {follow} people's subs"]
            if sync.following
            else []
        ),
        "what rules keep",
    ]
    alone = f"Not synced: {counted(len(sync.left_alone), 'table')}. " if sync.left_alone else ""
    if len(different) == 1:
        return f"{alone}Only what rules keep may differ."
    return f"{alone}Different on purpose: {listed(different)}."


def _people(report: Report, verdict: Verdict) -> str:
    """Return what became of people's logins in an execution that succeeded."""
    if verdict.logins is Logins.NOT_ASKED:
        return (
            "Logins were not linked again, since this run was not asked to: people keep the login"
            " that they had, and new ones have none yet."
        )
    if not isinstance(report.remap, RemapResult):
        return ""
    counts = report.remap.counts
    linked = counts.updated + counts.unchanged
    return (
        f"{counted(linked, 'person is', 'people are')} linked to an account of staging's pool,"
        f" {number(counts.updated)} of them anew."
    )
