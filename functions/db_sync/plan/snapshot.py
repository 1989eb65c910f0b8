"""Two steps of a sync: planning it, and opening the snapshot of the source that the plan is for."""

from dataclasses import dataclass

from common.errors import TargetBusy
from common.masking.keys import hand_over
from common.postgres.database import Session
from common.postgres.settings.function_names import find_names
from common.postgres.settings.privileged_settings import READING, require_privileged
from db_sync.mask.kinds import KEYED
from db_sync.plan.catalog import Catalog, Catalogs
from db_sync.plan.catalog_reading import read_catalog
from db_sync.plan.fit import require_fit
from db_sync.plan.planning import make_plan
from db_sync.plan.table_locks import (
    begin_locked,
    make_writers_wait,
    read_through_policies,
    tables_to_lock,
)
from db_sync.plan.tables import Plan
from db_sync.run import Run

PLANNING_ATTEMPTS = 5  # to find a schema that does not change meanwhile


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One moment of production, and the plan made for it; `taken_at` is ISO 8601 in UTC."""

    plan: Plan
    taken_at: str


def plan_sync(run: Run) -> Plan:
    """Read both catalogs and plan the sync; nothing is locked yet.

    Raises:
        ConfigurationError, SchemaMismatch: see `require_fit`.
    """
    return _plan_outside(run, read_catalog(run.target))


def open_snapshot(run: Run, plan: Plan) -> Snapshot:
    """Begin the source's transaction, and make the target's writers wait unless it is a dry run.

    The planned tables are locked on both sides, so that their definitions do not change any more.
    If one changed before that, the sync is planned again. Other tables may come and go.

    Raises:
        ConfigurationError, SchemaMismatch: see `require_fit`.
        DatabaseUnavailable: a lock on the source was not granted in time.
        TargetBusy: a lock on the target was not, or a schema keeps changing.
    """
    for _ in range(PLANNING_ATTEMPTS):
        snapshot = _open_on_source(run, plan)
        if run.options.dry_run:
            return snapshot
        locked = make_writers_wait(run, snapshot.plan)
        plan = _plan(run, snapshot.plan.catalogs.source, read_catalog(run.target))
        if plan.tables == snapshot.plan.tables and tables_to_lock(plan) <= locked:
            return Snapshot(plan, snapshot.taken_at)
        run.source.rollback()  # the tables of the new plan are locked before its snapshot
    raise _changing(run.target)


def _open_on_source(run: Run, plan: Plan) -> Snapshot:
    """Begin the source's transaction with the planned tables locked."""
    for _ in range(PLANNING_ATTEMPTS):
        if begin_locked(run.source, plan):
            again = _plan(run, read_catalog(run.source), plan.catalogs.target)
            if again.tables == plan.tables:
                require_privileged(run.source, READING)
                require_fit(run.source, again)
                if again.masked_tables and run.options.mask_key:
                    hand_over(run.source, run.options.mask_key, KEYED)
                (taken_at,) = run.source.row("SELECT to_json(clock_timestamp()) #>> '{}'")
                return Snapshot(again, taken_at)
        run.source.rollback()
        plan = _plan_outside(run, plan.catalogs.target)
    raise _changing(run.source)


def _plan_outside(run: Run, target: Catalog) -> Plan:
    """Plan with the source's catalog, read in a transaction of its own."""
    with run.source.transaction():
        return _plan(run, read_catalog(run.source), target)


def _plan(run: Run, source: Catalog, target: Catalog) -> Plan:
    """Plan the sync, and refuse it if the catalogs forbid it.

    Raises:
        ConfigurationError, SchemaMismatch: see `require_fit`.
    """
    find_names(run.source, source.function_paths)
    options = run.options
    plan = make_plan(
        Catalogs(source, target),
        options.rules,
        dry_run=options.dry_run,
        mask_key=options.mask_key,
    )
    if plan.is_forbidden:
        read_through_policies(run.source, plan)
        require_fit(run.source, plan)
    return plan


def _changing(session: Session) -> TargetBusy:
    return TargetBusy(
        f"The schema of the {session.role} {session.address} changes while it is read. Start again"
        " when its migration is done."
    )
