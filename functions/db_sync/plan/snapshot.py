"""The source's snapshot: one moment of production, read-only."""

from dataclasses import dataclass

from psycopg2 import sql

from common.errors import DatabaseUnavailable, OutOfTime, SchemaMismatch, TargetBusy
from common.postgres.database import Session
from common.postgres.locking import locks
from common.postgres.locking.holders import find_table_locks, told
from common.postgres.names import Name
from common.postgres.settings.function_names import find_names
from common.postgres.settings.privileged_settings import READING, require_privileged
from common.postgres.settings.transaction_settings import REPEATABLE_READ
from db_sync.compare.planner import prepare
from db_sync.plan.catalog import Catalog
from db_sync.plan.catalog_reading import read_catalog
from db_sync.plan.fit import require_fit
from db_sync.plan.publications import check_publications
from db_sync.plan.rights import check_rights
from db_sync.plan.tables import Plan, make_plan
from db_sync.rules import SyncRules

PLANNING_ATTEMPTS = 5  # to find a schema that does not move
IN_THE_WAY = "AccessExclusiveLock"  # of every SELECT


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
        ConfigurationError, SchemaMismatch: see `require_fit`.
        DatabaseUnavailable: a lock was not granted in time.
        TargetBusy: the source's schema changes all the time.
    """
    for _ in range(PLANNING_ATTEMPTS):
        with source.transaction():
            catalog = read_catalog(source)
            planned = make_checked_plan(source, catalog, target_catalog, rules, dry_run=dry_run)
        if _begin_locked(source, planned):
            catalog = read_catalog(source)
            plan = make_checked_plan(source, catalog, target_catalog, rules, dry_run=dry_run)
            if plan.tables == planned.tables:
                require_privileged(source, READING)
                require_fit(source, plan)
                (taken_at,) = source.row("SELECT to_json(clock_timestamp()) #>> '{}'")
                return Snapshot(plan, catalog, taken_at)
        source.rollback()
    raise TargetBusy(
        f"The schema of the source {source.address} changes while it is read. Start again when"
        " its migration is done."
    )


def make_checked_plan(
    source: Session, catalog: Catalog, target: Catalog, rules: SyncRules, *, dry_run: bool = False
) -> Plan:
    """Plan the sync; refuse what its catalogs alone refuse, before anything is locked.

    Raises:
        ConfigurationError, SchemaMismatch: see `require_fit`.
    """
    find_names(source, catalog.function_paths)
    plan = make_plan(catalog, target, rules, dry_run=dry_run)
    check_rights(catalog, target, plan, dry_run=dry_run)
    check_publications(target, plan)
    if plan.faults or plan.misfits:
        _read_through_policies(source, plan)
        require_fit(source, plan)
    return plan


def _begin_locked(source: Session, plan: Plan) -> bool:
    """Begin the transaction with locks on the planned tables; no snapshot is taken yet.

    Returns:
        False if one of the tables is there no more.

    Raises:
        DatabaseUnavailable: a lock was not granted in time; with those who hold one.
        OutOfTime: nor before the run's time was up.
    """
    tables = [table.name for table in plan.tables]
    timeout = source.waits.source_locks.start()
    while True:
        source.begin(REPEATABLE_READ)
        prepare(source)
        _read_through_policies(source, plan)
        try:
            _lock(source, tables)
        except SchemaMismatch:
            return False
        except OutOfTime:
            source.rollback()  # with the other tables' locks: a migration may wait for them
            if source.seconds_left <= 0:
                raise
            if timeout.is_over:
                raise _not_locked(source, tables) from None
            timeout.pause()
        else:
            return True


def _read_through_policies(source: Session, plan: Plan) -> None:
    """Let policies apply where they show every row to us; elsewhere they stay an error.

    No other policy can come about meanwhile: that waits for our lock on the table, under which
    the catalog is read once more.
    """
    if any(table.source.rights.has_policies for table in plan.tables):
        source.set_local(row_security="on")


def _lock(source: Session, tables: list[Name]) -> None:
    """Lock tables in one attempt, as short as those on the target are."""
    if not tables:
        return
    left = min(locks.ATTEMPT_LIMIT, max(1, source.seconds_left * 1000))
    source.set_local(statement_timeout=int(left))
    source.execute(
        sql.SQL("LOCK TABLE {} IN ACCESS SHARE MODE").format(
            sql.SQL(", ").join(table.identifier for table in tables)
        )
    )
    source.lift_limit()


def _not_locked(source: Session, tables: list[Name]) -> DatabaseUnavailable:
    with source.transaction():
        found = find_table_locks(source, tables, readers=False)
    holders = [lock for lock in found if lock.mode == IN_THE_WAY]
    seconds = source.waits.source_locks.seconds
    return DatabaseUnavailable(
        f"The tables of the source database {source.address} could not be locked within"
        f" {seconds:.0f} s, as every SELECT locks them: {told(holders)}. Start the execution"
        " again when the migration of production is done."
    )
