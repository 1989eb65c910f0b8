"""How parts, checks and the finish of a divided sync begin: both sides checked, locked, planned."""

from common.errors import SchemaMismatch
from common.masking.keys import hand_over
from common.postgres.settings.function_names import find_names
from common.postgres.settings.privileged_settings import READING, WRITING, require_privileged
from common.postgres.target import require_marked, require_source_apart, share_target
from db_sync.compare.fingerprint import require_alike
from db_sync.mask.kinds import KEYED
from db_sync.parts.dividing import definition_of
from db_sync.parts.part import Division
from db_sync.plan.catalog import Catalogs
from db_sync.plan.catalog_reading import read_catalog
from db_sync.plan.planning import make_plan
from db_sync.plan.tables import Plan
from db_sync.planner import prepare, sorting
from db_sync.run import Run


def begin_target(run: Run) -> None:
    """Begin the target's transaction, which shares the target's lock with others of the execution.

    Raises:
        TargetNotAllowed, SyncInProgress, SchemaMismatch: see the functions that it calls.
    """
    source, target = run.source, run.target
    run.limit("the databases were checked")
    target.begin()
    with source.transaction():
        target.learn_names()
        require_privileged(target, WRITING)
        source.learn_names()
        require_source_apart(source, target)
        require_marked(target)
        share_target(target, run.options.execution)
        require_alike(source, target)


def plan_as_divided(run: Run, division: Division) -> Plan:
    """Plan in both sides' transactions, for what they are to do; the target's tables are locked.

    Raises:
        SchemaMismatch: the plan is another one than that which was divided.
    """
    source, target = run.source, run.target
    options = run.options
    with sorting(source):
        ours = read_catalog(source)
    theirs = read_catalog(target)
    find_names(source, ours.function_paths)
    find_names(target, theirs.function_paths)
    plan = make_plan(Catalogs(ours, theirs), options.rules, mask_key=options.mask_key)
    if definition_of(plan) != division.definition:
        raise SchemaMismatch(
            "The schemas, or the rules, have changed since the sync was divided into parts. What is"
            " done so far stays. Start again."
        )
    require_privileged(source, READING)
    if plan.masked_tables and options.mask_key:
        hand_over(source, options.mask_key, KEYED)
    prepare(target)
    return plan
