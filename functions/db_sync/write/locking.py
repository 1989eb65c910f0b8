"""The locks under which tables are written, and what was found of them brought up to date.

Only tables that differ are locked, and those at the other end of their foreign keys. Others may
have written to them since they were compared, so that more tables may differ, which are locked too.
"""

from collections.abc import Collection
from dataclasses import dataclass

from common.postgres.locking import locks
from common.postgres.names import Name
from common.postgres.settings.function_names import find_names
from common.reports.notices import Notice
from db_sync.compare.meanwhile import compare_again
from db_sync.compare.moment import Moment, warn_of_prepared
from db_sync.compare.outcomes import Compared, Outcome
from db_sync.current_snapshot import read_snapshot
from db_sync.follow.people import load_people
from db_sync.plan.snapshot import plan_again
from db_sync.plan.table_locks import tables_to_lock
from db_sync.plan.tables import Plan, TablePlan
from db_sync.run import Run
from db_sync.write.row_security import stop_forcing


@dataclass(frozen=True, slots=True)
class Locked:
    """What is to be written, the synced tables that are locked, and notices."""

    plan: Plan
    compared: Compared
    tables: list[TablePlan]
    notices: list[Notice]


def lock_differences(run: Run, plan: Plan, compared: Compared, moment: Moment) -> Locked | None:
    """Lock what is to be written against writers, in the target's transaction.

    Args:
        run: the run.
        plan: of the sync.
        compared: what was found of all tables.
        moment: of the target, when it was found.

    Returns:
        What is to be written by now; None if the definition of a table has changed.

    Raises:
        TargetBusy: a lock was not granted in time.
    """
    find_names(run.target, plan.catalogs.target.function_paths)
    people = dict(run.people)  # as they were when tables were compared
    run.people.clear()
    locked: set[Name] = set()
    tables: list[TablePlan] = []
    notices: list[Notice] = []
    while wanted := _tables_to_lock(plan, compared) - locked:
        run.limit("the target's tables were locked")
        locks.lock_tables(run.target, sorted(wanted), locks.EXCLUSIVE)
        locked |= wanted
        planned = _of(plan, wanted)
        tables += planned
        nobody_wrote = read_snapshot(run.target) == moment.snapshot
        if not nobody_wrote:
            plan = plan_again(run, plan)
            if _of(plan, wanted) != planned:
                return None
        stop_forcing(run.target, planned)
        load_people(run, plan.people, planned)
        if not nobody_wrote:
            changed = {name for name, found in run.people.items() if found != people[name]}
            compared = _up_to_date(run, compared, wanted, moment, changed)
            notices = warn_of_prepared(run.target, moment)
    return Locked(plan, compared, tables, notices)


def _tables_to_lock(plan: Plan, compared: Compared) -> set[Name]:
    return tables_to_lock(plan, {table.target.oid for table in compared.plans})


def _of(plan: Plan, names: Collection[Name]) -> list[TablePlan]:
    return [table for table in plan.tables if table.name in names]


def _up_to_date(
    run: Run, compared: Compared, tables: Collection[Name], moment: Moment, people: Collection[str]
) -> Compared:
    """Return what was found of all tables, as of now for some that have just been locked."""
    touched: list[Outcome] = []
    others: list[Outcome] = []
    for table in compared.outcomes:
        (touched if table.plan.name in tables else others).append(table)
    return Compared.of([*others, *compare_again(run, touched, moment, people)])
