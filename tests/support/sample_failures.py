"""Reports of executions that did not succeed."""

from dataclasses import replace
from typing import Any

from common.reports.failure import Failure
from tests.support.sample_reports import FILES, SYNC, after, execution, good_night, previous
from write_report.model import Execution, Listing, Report, Status


def failed_with(error: str, cause: str, **fields: Any) -> Execution:
    return execution(
        **{"status": Status.FAILED, "error": error, "cause": cause, "ended_at": after(74)} | fields
    )


def failed_sync() -> Report:
    """Return a sync that was refused, with several reasons."""
    failure = Failure(
        "SchemaMismatch",
        "Production and staging cannot be reconciled:",
        (
            "Table public.orders lacks column gift_note in the target",
            "Column public.books.price is numeric(10,2) in the source and integer in the target",
            "Table public.reviews has 14 rows that violate reviews_stars_check",
        ),
    )
    return Report(
        failed_with(failure.error, failure.message),
        sync=failure,
        previous=previous(),
        files={"db-sync.json": FILES["db-sync.json"]},
    )


def failed_remap() -> Report:
    """Return an execution whose sync is done and whose remap failed."""
    failure = Failure(
        "TargetBusy",
        "The lock of table public.users was not granted in time: pid 4711 of user shop_admin holds"
        " it (psql, idle in transaction since 02:14 UTC).",
    )
    return replace(
        good_night(),
        execution=failed_with(failure.error, failure.message, ended_at=after(571)),
        remap=failure,
    )


def failed_listing() -> Report:
    """Return an execution whose sync is done and whose listing failed."""
    return replace(
        good_night(),
        execution=failed_with(
            "CognitoUnavailable",
            "Cognito throttled ListUsers for 12 minutes.",
            ended_at=after(1015),
        ),
        remap=None,
        listing=Listing(60, is_complete=False),
    )


def killed() -> Report:
    """Return a sync whose Lambda was killed: its file is there, and nobody knows of the commit."""
    return Report(
        failed_with("Runtime.ExitError", "RequestId: 41… Error: Runtime exited with error: killed"),
        sync=SYNC,
        previous=previous(),
        files={"db-sync.json": FILES["db-sync.json"]},
    )


def timed_out() -> Report:
    """Return an execution that took two days."""
    return Report(
        execution(status=Status.TIMED_OUT, ended_at=after(172_800)),
        previous=previous(),
        files={},
    )


def aborted() -> Report:
    """Return an execution that somebody stopped while the pool was listed."""
    return Report(
        execution(status=Status.ABORTED, ended_at=after(290)),
        sync=SYNC,
        listing=Listing(40, is_complete=False),
        previous=previous(),
        files=FILES,
    )


def failed_in_parts() -> Report:
    """Return a sync in parts that was given up."""
    failure = Failure(
        "OutOfTime",
        "In part 12 of 40 (public.page_views) it ended without a word, as a Lambda does that is"
        " killed: see DbSync's log. What is done so far stays, so that the target is in between;"
        " start again to go on.",
    )
    return Report(
        failed_with(failure.error, failure.message, ended_at=after(7300)),
        sync=failure,
        previous=previous(),
        is_divided=True,
        files={"db-sync.json": FILES["db-sync.json"]},
    )


def refused_input() -> Report:
    """Return an execution whose input is no input."""
    return Report(
        failed_with(
            "InvalidInput",
            '"sync_congito" is not a field of the input. Accepted are sync_cognito, cognito_only,'
            " dry_run (each true or false).",
            given='{"sync_congito": true, "<script>alert(1)</script>": "' + "x" * 50_000 + '"}',
            input=None,
            ended_at=after(1),
        ),
        previous=previous(),
    )
