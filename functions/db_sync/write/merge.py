"""Tables of which only the rows that differ are written: fetched, merged in, and verified."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager

from common.postgres.copying import Transferred
from common.postgres.foreign_keys import ForeignKey
from common.postgres.names import Name
from common.postgres.settings.function_names import names_for_writing
from db_sync.compare.outcomes import Merge
from db_sync.compare.verify import require_all_found, verify_merged
from db_sync.result import TableResult
from db_sync.run import Run
from db_sync.write import staging
from db_sync.write.order import parents_first, referenced


def fetch(run: Run, merge: Merge) -> Transferred:
    """Stage the source's rows of the ranges that differ, and find those that do.

    Returns:
        What came from the source.

    Raises:
        VerificationFailed: an index lacks rows.
    """
    with run.step("fetch", merge.plan):
        staging.create_tables(run.target, merge)
        return _stage(run, merge)


def count_merge(run: Run, merge: Merge) -> TableResult:
    """Return what a merge would write; its temporary tables exist."""
    with run.step("count", merge.plan):
        sent = _stage(run, merge)
        changes = staging.count_changes(run.target, merge)
    return merge.result(sent, changes, dict(run.seconds[merge.plan.name]))


def merge_tables(
    run: Run,
    merges: Sequence[Merge],
    fetched: Mapping[Name, Transferred],
    in_force: Sequence[ForeignKey],
) -> list[TableResult]:
    """Write the rows that differ, and verify the ranges that they are in.

    Args:
        run: the run.
        merges: the tables, whose rows are fetched.
        fetched: what came from the source for each.
        in_force: the foreign keys that check and act meanwhile.

    Raises:
        VerificationFailed: a table is not what the source's snapshot holds.
        SchemaMismatch: a row breaks a constraint of the target.
    """
    in_order = parents_first(merges, in_force)
    # A row that others refer to is updated; otherwise it is deleted and inserted anew.
    parents = referenced(in_force)
    for merge in run.each("delete", in_order[::-1]):
        with run.step("merge", merge.plan), _names(run, merge):
            in_place = merge.plan.target.oid in parents
            staging.delete_rows(run.target, merge, in_place=in_place)
    results: list[TableResult] = []
    for merge in run.each("write", in_order):
        with run.step("merge", merge.plan), _names(run, merge):
            in_place = merge.plan.target.oid in parents
            changes = staging.write_rows(run.target, merge, in_place=in_place)
        with run.step("verify", merge.plan):
            verify_merged(run, merge)
        name = merge.plan.name
        results.append(merge.result(fetched[name], changes, dict(run.seconds[name])))
    return results


def _stage(run: Run, merge: Merge) -> Transferred:
    """Fetch the source's rows of the ranges that differ, and find what is to be written."""
    sent = staging.fill_stage(run, merge)
    require_all_found(run, merge, sent.rows)
    staging.find_changes(run.target, merge)
    staging.find_gone_rows(run.target, merge)
    return sent


def _names(run: Run, merge: Merge) -> AbstractContextManager[None]:
    """Let the application's functions find their names where they run."""
    return names_for_writing(run.target, merge.plan.target.function_path)
