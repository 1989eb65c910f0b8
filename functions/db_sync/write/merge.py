"""Tables of which only the rows that differ are written: fetched, merged in, and verified."""

from collections.abc import Sequence
from typing import NamedTuple

from common.postgres.copying import Transferred
from common.postgres.foreign_keys import ForeignKey
from common.postgres.settings.function_names import names_for_writing
from common.reports.sync import TableResult
from db_sync.compare.outcomes import Merge
from db_sync.compare.verify import require_all_found, verify_merged
from db_sync.run import Run
from db_sync.write.order import parents_first, referenced
from db_sync.write.staging import Staging


class Fetched(NamedTuple):
    """A merge whose rows are staged and whose changes are found, and what came for that."""

    staging: Staging
    sent: Transferred

    @property
    def merge(self) -> Merge:
        """The merge."""
        return self.staging.merge


def fetch(run: Run, merge: Merge) -> Fetched:
    """Stage the source's rows of the ranges that differ, and find those that do.

    Raises:
        VerificationFailed: an index lacks rows.
    """
    with run.step("fetch", merge.plan):
        return _fetch(run, Staging(run.target, merge))


def count_merge(run: Run, staging: Staging) -> TableResult:
    """Return what a merge would write."""
    plan = staging.merge.plan
    with run.step("count", plan):
        sent = _fetch(run, staging).sent
        changes = staging.count_changes()
    return staging.merge.result(sent, changes, dict(run.seconds[plan.name]))


def merge_tables(
    run: Run, fetched: Sequence[Fetched], in_force: Sequence[ForeignKey]
) -> list[TableResult]:
    """Write the rows that differ, and verify the ranges that they are in.

    Args:
        run: the run.
        fetched: the tables.
        in_force: the foreign keys that check and act meanwhile.

    Raises:
        VerificationFailed: a table is not what the source's snapshot holds.
        SchemaMismatch: a row violates a constraint of the target.
    """
    in_order = _parents_first(fetched, in_force)
    # A row that others refer to is updated; otherwise it is deleted and inserted again.
    parents = referenced(in_force)
    for staging, _ in run.each("delete", in_order[::-1]):
        plan = staging.merge.plan
        with run.step("merge", plan), names_for_writing(run.target, plan.target.function_path):
            staging.delete_rows(in_place=plan.target.oid in parents)
    results: list[TableResult] = []
    for staging, sent in run.each("write", in_order):
        plan = staging.merge.plan
        with run.step("merge", plan), names_for_writing(run.target, plan.target.function_path):
            changes = staging.write_rows(in_place=plan.target.oid in parents)
        with run.step("verify", plan):
            verify_merged(run, staging.merge)
        results.append(staging.merge.result(sent, changes, dict(run.seconds[plan.name])))
    return results


def _fetch(run: Run, staging: Staging) -> Fetched:
    """Fetch the source's rows of the ranges that differ, and find what is to be written."""
    sent = staging.fetch(run)
    require_all_found(run, staging.merge, sent.rows)
    staging.find_changes()
    return Fetched(staging, sent)


def _parents_first(fetched: Sequence[Fetched], keys: Sequence[ForeignKey]) -> list[Fetched]:
    """Return tables in an order in which every parent comes before its children."""
    by_oid = {each.merge.plan.target.oid: each for each in fetched}
    first = [by_oid[oid] for oid in parents_first(keys) if oid in by_oid]
    return first + [each for each in fetched if each not in first]
