"""Both schemas read, planned for and locked, so that nothing moves any more.

Tables that come and go beside the plan are no matter: what is locked is what both sides have.
"""

from dataclasses import replace

from common.errors import TargetBusy
from common.postgres.locking import locks
from common.postgres.names import Name
from db_sync.plan.catalog import Catalog
from db_sync.plan.catalog_reading import read_catalog
from db_sync.plan.snapshot import PLANNING_ATTEMPTS, Snapshot, make_checked_plan, open_snapshot
from db_sync.plan.tables import Plan
from db_sync.run import Run


def begin_reading(run: Run) -> tuple[Snapshot, Catalog]:
    """Open the source's snapshot, and make the target's writers wait unless this is a dry run.

    Returns:
        The snapshot, with the plan, and the target's catalog.

    Raises:
        ConfigurationError, SchemaMismatch: see `require_fit`.
        TargetBusy: a lock was not granted in time, or a schema changes all the time.
    """
    rules, dry_run = run.options.rules, run.options.dry_run
    catalog = read_catalog(run.target)
    for _ in range(PLANNING_ATTEMPTS):
        snapshot = open_snapshot(run.source, catalog, rules, dry_run=dry_run)
        if dry_run:
            return snapshot, catalog
        locked = _make_writers_wait(run, snapshot.plan, catalog)
        catalog = read_catalog(run.target)
        plan = make_checked_plan(run.source, snapshot.catalog, catalog, rules)
        if plan.tables == snapshot.plan.tables and _to_lock(plan, catalog) <= locked:
            return replace(snapshot, plan=plan), catalog
        run.source.rollback()  # other tables are to be locked before a snapshot
    raise TargetBusy(
        f"The schema of the target {run.target.address} changes while it is read. Start again when"
        " its migration is done."
    )


def _make_writers_wait(run: Run, plan: Plan, catalog: Catalog) -> set[Name]:
    """Lock tables against writers; return them.

    A child that the application inserted meanwhile would survive its parent's deletion.
    """
    run.limit("the target's tables were locked")
    tables = _to_lock(plan, catalog)
    locks.lock_tables(run.target, sorted(tables), locks.EXCLUSIVE)
    return tables


def _to_lock(plan: Plan, catalog: Catalog) -> set[Name]:
    """Return the tables that are synced, and those on the other side of their foreign keys.

    A parent that the application deletes meanwhile would be missed by a child that we write while
    foreign keys sleep.
    """
    synced = {table.target.oid for table in plan.tables}
    tables = {table.name for table in plan.tables}
    for key in catalog.foreign_keys:
        if synced & {key.child_root, key.parent_root}:
            tables |= {key.child, key.parent}
    return tables
