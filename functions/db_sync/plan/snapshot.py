"""Two steps of a sync: planning it, and opening both sides' snapshots that the plan is for."""

from dataclasses import dataclass, replace

from common.errors import TargetBusy
from common.masking.keys import hand_over
from common.postgres.database import Session
from common.postgres.settings.function_names import find_names, only_our_names
from common.postgres.settings.privileged_settings import READING, WRITING, require_privileged
from db_sync.current_snapshot import read_snapshot
from db_sync.mask.kinds import KEYED
from db_sync.plan.catalog import Catalog, Catalogs
from db_sync.plan.catalog_reading import read_catalog
from db_sync.plan.fit import require_fit
from db_sync.plan.planning import make_plan
from db_sync.plan.table_locks import begin_locked, read_through_policies
from db_sync.plan.tables import Plan
from db_sync.planner import sorting
from db_sync.run import Run

PLANNING_ATTEMPTS = 5  # to find a schema that does not change meanwhile


@dataclass(frozen=True, slots=True)
class Snapshots:
    """One moment of each side, and the plan made for them.

    `taken_at`: when production's was taken, ISO 8601 in UTC.
    """

    plan: Plan
    taken_at: str


def open_snapshots(run: Run) -> Snapshots:
    """Begin a transaction on both sides in which the planned tables can be compared.

    These tables are locked as by a SELECT, so that their definitions do not change any more. If one
    changed before that, the sync is planned again. Other tables may come and go.

    Raises:
        ConfigurationError, SchemaMismatch: see `require_fit`.
        DatabaseUnavailable: a lock on the source was not granted in time.
        TargetBusy: a lock on the target was not, or a schema keeps changing.
    """
    plan = _plan_outside(run, _read_outside(run.target))
    for _ in range(PLANNING_ATTEMPTS):
        opened = _open_on_source(run, plan)
        run.limit("the target's tables were locked")
        if begin_locked(run.target, opened.plan):
            require_privileged(run.target, WRITING)
            plan = plan_again(run, opened.plan)
            if plan.tables == opened.plan.tables:
                find_names(run.target, plan.catalogs.target.function_paths)
                return Snapshots(plan, opened.taken_at)
        run.target.rollback()
        run.source.rollback()  # the tables of the new plan are locked before its snapshot
        plan = _plan_outside(run, _read_outside(run.target))
    raise changing(run.target)


def plan_again(run: Run, plan: Plan) -> Plan:
    """Plan for the target's schema as it is now, and for the source's as it was planned for.

    Raises:
        ConfigurationError, SchemaMismatch: see `require_fit`.
    """
    return _plan_for(run, plan, plan.catalogs.source, read_again(run.target, plan.catalogs.target))


def changing(session: Session) -> TargetBusy:
    """Return the error for a schema that does not stay the same for long enough."""
    return TargetBusy(
        f"The schema of the {session.role} {session.address} changes while it is read. Start again"
        " when its migration is done."
    )


def _open_on_source(run: Run, plan: Plan) -> Snapshots:
    """Begin the source's transaction with the planned tables locked."""
    for _ in range(PLANNING_ATTEMPTS):
        if begin_locked(run.source, plan):
            source = read_again(run.source, plan.catalogs.source)
            again = _plan_for(run, plan, source, plan.catalogs.target)
            if again.tables == plan.tables:
                require_privileged(run.source, READING)
                require_fit(run.source, again)
                if again.masked_tables and run.options.mask_key:
                    hand_over(run.source, run.options.mask_key, KEYED)
                (taken_at,) = run.source.row("SELECT to_json(clock_timestamp()) #>> '{}'")
                return Snapshots(again, taken_at)
        run.source.rollback()
        plan = _plan_outside(run, plan.catalogs.target)
    raise changing(run.source)


def read_again(session: Session, known: Catalog) -> Catalog:
    """Return a catalog as it is now, in a transaction that is prepared for a comparison.

    It is read only if it can have changed since it was `known`.
    """
    if known.snapshot and known.snapshot == read_snapshot(session):
        return known
    with only_our_names(session), sorting(session):
        return read_catalog(session)


def read_first(session: Session) -> Catalog:
    """Read a catalog in a transaction in which nothing is locked yet."""
    snapshot = read_snapshot(session)  # before the catalog: what it misses ends after it
    return replace(read_catalog(session), snapshot=snapshot)


def _read_outside(target: Session) -> Catalog:
    """Read the target's catalog in a transaction of its own; nothing is locked yet."""
    target.begin()
    catalog = read_first(target)
    target.rollback()
    return catalog


def _plan_outside(run: Run, target: Catalog) -> Plan:
    """Plan with the source's catalog, read in a transaction of its own."""
    with run.source.transaction():
        return _plan(run, read_first(run.source), target)


def _plan_for(run: Run, plan: Plan, source: Catalog, target: Catalog) -> Plan:
    """Plan again, unless both catalogs are those that it was planned for."""
    known = plan.catalogs
    is_same = (known.source, known.source.facts, known.target, known.target.facts) == (
        *(source, source.facts),
        *(target, target.facts),
    )
    if not is_same:
        return _plan(run, source, target)
    find_names(run.source, source.function_paths)
    return plan


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
