"""Reports of a bookshop's nights that went well, for tests and for pictures."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from common.event import ExecutionInput
from common.reports.notices import Notice, Topic
from common.reports.remap import RemapCounts, RemapResult
from common.reports.sync import SyncResult, TableResult
from write_report.model import Execution, Listing, Report, Staging, Status, Summary

NIGHT = datetime(2026, 11, 27, 3, 0, tzinfo=UTC)
NAME = "nightly-2026-11-27"
FOLDER = f"s3://staging-sync-exchange-111122223333/executions/{NAME}"
CONSOLE = (
    "https://eu-central-1.console.aws.amazon.com/states/home?region=eu-central-1"
    f"#/v2/executions/details/arn:aws:states:eu-central-1:111122223333:execution:staging-sync:{NAME}"
)
FILES = {
    "db-sync.json": f"{FOLDER}/db-sync.json",
    "cognito-users/manifest.json": f"{FOLDER}/cognito-users/manifest.json",
    "cognito-mapping.json": f"{FOLDER}/cognito-mapping.json",
    "cognito-mapping.csv.gz": f"{FOLDER}/cognito-mapping.csv.gz",
}
EVERYTHING = ExecutionInput(sync_cognito=True)


def after(seconds: float) -> str:
    """Return a moment of the night, so many seconds after its start, as ISO 8601."""
    return (NIGHT + timedelta(seconds=seconds)).isoformat()


def execution(**fields: Any) -> Execution:
    """Return an execution that succeeded, but for what is given."""
    usual: dict[str, Any] = {
        "name": NAME,
        "status": Status.SUCCEEDED,
        "started_at": after(0),
        "ended_at": after(312.4),
        "given": '{"sync_cognito": true}',
        "input": EVERYTHING,
        "console": CONSOLE,
    }
    return Execution(**usual | fields)


def table(name: str, rows: int, *written: int, **seconds: float) -> TableResult:
    """Return a table with so many rows, of which some were inserted, updated, deleted."""
    inserted, updated, deleted = (*written, 0, 0, 0)[:3]
    total = inserted + updated + deleted
    action, reason = ("none", "same rows") if not total else ("merge", "some ranges differ")
    if "copy" in seconds:
        action, reason = "copy", "most rows differ"
    return TableResult(
        name,
        action,  # type: ignore[arg-type] # one of three words
        reason,
        rows,
        inserted,
        updated,
        deleted,
        ranges=max(rows // 5000, 1),
        ranges_changed=min(total, max(rows // 5000, 1)),
        bytes=total * 180,
        seconds=seconds,
    )


TABLES = (
    table("public.orders", 1_204_551, 8_412, 23_907, 31, compare=14.2, fetch=6.1, merge=9.8,
          verify=4.4),
    table("public.order_lines", 4_880_120, 31_877, 2_104, 90, compare=41.7, fetch=11.9, merge=17.3,
          verify=12.6),
    table("public.page_views", 412_334, 412_334, 0, 0, compare=3.1, copy=58.4, index=21.5,
          verify=19.9),
    table("public.customers", 312_908, 205, 1_877, 4, compare=5.4, fetch=1.2, merge=1.9,
          verify=1.6),
    table("public.books", 58_220, 14, 5_871, 0, compare=1.2, fetch=0.9, merge=1.1, verify=0.5),
    table("public.users", 51_311, 92, 310, 2, compare=1.1, fetch=0.3, merge=0.6, verify=0.4),
    table("public.wishlists", 88_143, 61, 0, 18, compare=1.4, fetch=0.2, merge=0.3, verify=0.2),
    table("public.reviews", 190_227, 0, 0, 12, compare=2.2, fetch=0.1, merge=0.2, verify=0.3),
    table("audit.\"log.2026\"", 740_002, 11_204, 0, 0, compare=6.6, fetch=1.8, merge=2.1,
          verify=1.7),
    table("public.authors", 9_120, compare=0.3),
    table("public.publishers", 611, compare=0.1),
    table("public.countries", 249, compare=0.1),
    table("public.currencies", 180, compare=0.1),
    table("public.genres", 96, compare=0.1),
    table("public.tax_rates", 412, compare=0.1),
)  # fmt: skip
NOTICES = (
    Notice(
        "Columns of public.customers look personal and have no rule: date_of_birth (its name),"
        " notes (some are texts with an email address). Their values are copied as they are.",
        Topic.PERSONAL_DATA,
        '"mask": {"public.customers.date_of_birth": "date", "public.customers.notes": "text"}',
    ),
    Notice("Table public.feature_flags is not synced: it exists in the target only.", Topic.SCHEMA),
    Notice(
        "Column public.books.legacy_isbn is in the target only and is not copied.", Topic.SCHEMA
    ),
    Notice(
        "These columns hold subs of public.users.cognito_sub and do not follow it, so that people"
        " will not find in staging what is theirs: public.wishlists.owner_sub (12 of 12 sampled"
        " values).",
        Topic.LOGINS,
        '"follow": {"public.wishlists.owner_sub": "public.users.cognito_sub"}',
    ),
    Notice(
        "Sequence public.invoice_numbers is left as it is: it may not be read on the source.",
        Topic.ROWS,
        "GRANT SELECT ON SEQUENCE public.invoice_numbers TO staging_sync_reader;",
    ),
)
SYNC = SyncResult(
    status="synced",
    verified=True,
    tables=TABLES,
    left_alone={
        "public.feature_flags": "it exists in the target only",
        "public.sessions": "excluded by a rule",
        "public.alembic_version": "it belongs to a migration tool",
    },
    masked={
        "public.customers.email": "email, by the rule public.*.email",
        "public.customers.phone": "phone, by the rule public.customers.phone",
        "public.users.email": "email, by the rule public.*.email",
    },
    following={
        "public.carts.owner_sub": "public.users.cognito_sub, by the foreign key carts_owner_fkey"
    },
    sequences=("public.orders_id_seq", "public.order_lines_id_seq"),
    notices=NOTICES,
    duration_seconds=251.8,
    snapshot=after(12),
    source_version=160_006,
    target_version=170_002,
    started_at=after(11),
    unmasked={
        "public.customers.date_of_birth": "its name",
        "public.customers.notes": "some are texts with an email address",
    },
)
REMAP = RemapResult(
    counts=RemapCounts(
        updated=12,
        unchanged=148,
        skipped_no_cognito_user=51_142,
        skipped_no_db_user=7,
        skipped_ambiguous=2,
        unlinked=1,
        mismatched=6,
        unverified_email=3,
    ),
    followers={"public.carts.owner_sub": 31},
    notices=(
        Notice(
            "The email of 3 users is not verified in the pool, and their rows were linked all the"
            " same: people who may edit their own address could claim somebody else's row.",
            Topic.LOGINS,
            '"require_verified_email": true',
        ),
    ),
    people=FILES["cognito-mapping.csv.gz"],
    pool_users=169,
    started_at=after(296),
    duration_seconds=11.6,
)


def previous(nights: int = 14) -> tuple[Summary, ...]:
    """Return so many nights before this one: one failed, one had nothing to do."""
    return tuple(_night(before) for before in range(nights, 0, -1))


def _night(before: int) -> Summary:
    start = NIGHT - timedelta(days=before)
    name = f"nightly-{start:%Y-%m-%d}"
    wave = (before * 7) % 5
    seconds = 240 + wave * 22.5 + before * 1.5
    end = (start + timedelta(seconds=seconds)).isoformat()
    if before == 5:
        return Summary(
            name, Status.FAILED, start.isoformat(), end, 61.0, error="DatabaseUnavailable"
        )
    is_quiet = before == 9
    return Summary(
        execution=name,
        status=Status.SUCCEEDED,
        started_at=start.isoformat(),
        ended_at=end,
        seconds=seconds,
        sync="unchanged" if is_quiet else "synced",
        snapshot=(start + timedelta(seconds=12)).isoformat(),
        tables_changed=0 if is_quiet else 6 + wave,
        rows=0 if is_quiet else 430_000 + wave * 31_000,
        linked=150 + 14 - before,
        left_out=51_000 + 10 * (14 - before),
        warnings=wave,
        staging=Staging.EQUAL,
    )


def good_night() -> Report:
    """Return a night on which everything was done, with some notices."""
    return Report(
        execution(),
        sync=SYNC,
        remap=REMAP,
        listing=Listing(169, is_complete=True),
        previous=previous(),
        files=FILES,
    )


def quiet_night() -> Report:
    """Return a night without a single notice."""
    return replace(
        good_night(),
        sync=replace(SYNC, notices=(), unmasked={}),
        remap=replace(REMAP, notices=()),
    )


def unchanged() -> Report:
    """Return a night on which production and staging were equal already."""
    same = tuple(table(each.table, each.rows, compare=each.seconds["compare"]) for each in TABLES)
    counts = RemapCounts(0, 160, 51_142, 7, 2, 0, 0, 0)
    return Report(
        execution(ended_at=after(92)),
        sync=replace(
            SYNC, status="unchanged", tables=same, sequences=(), notices=(), duration_seconds=71.0
        ),
        remap=replace(REMAP, counts=counts, followers={}, notices=(), started_at=after(88),
                      duration_seconds=2.1),
        listing=Listing(169, is_complete=True),
        previous=previous(),
        files=FILES,
    )  # fmt: skip


def dry_run() -> Report:
    """Return a dry run, with what would change."""
    refused = Notice(
        "A sync that writes will be refused: the role staging_sync_writer may not update"
        " public.reviews.",
        Topic.REFUSED,
        "GRANT UPDATE ON public.reviews TO staging_sync_writer;",
    )
    return replace(
        good_night(),
        execution=execution(
            given='{"sync_cognito": true, "dry_run": true}',
            input=ExecutionInput(sync_cognito=True, dry_run=True),
        ),
        sync=replace(SYNC, status="dry_run", verified=False, notices=(*NOTICES, refused)),
        remap=replace(REMAP, dry_run=True),
    )


def cognito_only() -> Report:
    """Return an execution that only remapped."""
    return Report(
        execution(
            given='{"cognito_only": true}',
            input=ExecutionInput(cognito_only=True),
            ended_at=after(19),
        ),
        remap=replace(REMAP, started_at=after(6)),
        listing=Listing(169, is_complete=True),
        previous=previous(),
        files={name: uri for name, uri in FILES.items() if name != "db-sync.json"},
    )


def without_remap() -> Report:
    """Return a sync without a remap."""
    return replace(
        good_night(),
        execution=execution(given="{}", input=ExecutionInput()),
        remap=None,
        listing=None,
    )


def in_parts() -> Report:
    """Return a first load that was done in parts."""
    return replace(
        good_night(),
        sync=replace(SYNC, atomic=False, duration_seconds=5 * 3600 + 61),
        execution=execution(ended_at=after(5 * 3600 + 130)),
        remap=replace(REMAP, started_at=after(5 * 3600 + 90)),
        is_divided=True,
    )


def first_run() -> Report:
    """Return the first run that the bucket knows, without a single rule for a mask."""
    return replace(good_night(), sync=replace(SYNC, masked={}), previous=())


def many_tables(count: int = 1000) -> Report:
    """Return a night on which many tables changed, with names of 30 letters."""
    tables = tuple(
        table(f"public.{f'table_{i:05}_'.ljust(30, 'x')}", 10_000 + i, 1000 + i % 97, i % 900 + 1,
              i % 30, compare=i % 11 / 10, fetch=0.1, merge=0.2, verify=0.1)
        for i in range(count)
    )  # fmt: skip
    return replace(good_night(), sync=replace(SYNC, tables=tables))
