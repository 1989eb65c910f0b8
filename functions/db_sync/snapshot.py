"""The source's snapshot: one moment of production, read-only."""

from dataclasses import dataclass

from psycopg2 import sql

from common.database import Session
from common.errors import SchemaMismatch
from common.privileged_settings import READING, require_privileged
from common.transaction_settings import REPEATABLE_READ
from db_sync.catalog import Catalog, read_catalog
from db_sync.fingerprint import prepare
from db_sync.fit import require_fit
from db_sync.plan import Plan, make_plan
from db_sync.rights import check_rights
from db_sync.rules import SyncRules

ATTEMPTS = 3
LOCK_TIMEOUT = 30_000  # milliseconds; a migration of production is not waited for without end


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The plan, and the source's catalog as of the snapshot; `taken_at` is ISO 8601 in UTC."""

    plan: Plan
    catalog: Catalog
    taken_at: str


def open_snapshot(
    source: Session, target_catalog: Catalog, rules: SyncRules, *, dry_run: bool = False
) -> Snapshot:
    """Plan the sync and begin the source's transaction.

    The planned tables are locked (ACCESS SHARE, as any SELECT does) before the snapshot is
    taken: TRUNCATE is not MVCC-safe, so that a table truncated after the snapshot would read
    as empty. https://www.postgresql.org/docs/current/mvcc-caveats.html

    Raises:
        ConfigurationError: see `require_fit`.
        SchemaMismatch: see `require_fit`; or the source's schema changes all the time.
    """
    for _ in range(ATTEMPTS):
        with source.transaction():
            catalog = read_catalog(source)
            plan = make_plan(catalog, target_catalog, rules, dry_run=dry_run)
            check_rights(catalog, target_catalog, plan, dry_run=dry_run)
            if plan.faults or plan.misfits:
                _read_through_policies(source, plan)
                require_fit(source, plan)  # no lock on production for what is refused anyway
        source.begin(REPEATABLE_READ)
        prepare(source)
        _read_through_policies(source, plan)
        if _lock(source, plan) and read_catalog(source) == catalog:
            require_privileged(source, READING)
            require_fit(source, plan)
            (taken_at,) = source.row("SELECT to_json(clock_timestamp()) #>> '{}'")
            return Snapshot(plan, catalog, taken_at)
        source.rollback()
    raise SchemaMismatch(
        f"The schema of the source {source.address} changes while it is read. Start again when"
        " its migration is done."
    )


def _read_through_policies(source: Session, plan: Plan) -> None:
    """Let policies apply where they show every row to us; elsewhere they stay an error.

    No other policy can come about meanwhile: that waits for our lock on the table, under which
    the catalog is read once more.
    """
    if any(table.source.rights.has_policies for table in plan.tables):
        source.set_local(row_security="on")


def _lock(source: Session, plan: Plan) -> bool:
    """Lock the planned tables; return False if one of them is there no more."""
    if not plan.tables:
        return True
    source.set_local(lock_timeout=LOCK_TIMEOUT)
    try:
        source.execute(
            sql.SQL("LOCK TABLE {} IN ACCESS SHARE MODE").format(
                sql.SQL(", ").join(table.name.identifier for table in plan.tables)
            )
        )
    except SchemaMismatch:
        return False
    return True
