"""What was written is read again before the commit, and must be what the source holds.

A broken index that hid rows from the writing would hide them from this reading too. So all of a
small table is read again without its indexes. Of a large table the ranges that were written are
read through the index; before the writing it had to find as many rows in them as the table itself
has. Then all rows are counted without it.
"""

from collections import deque
from collections.abc import Iterable
from contextlib import nullcontext

from psycopg2 import sql

from common.errors import VerificationFailed
from common.postgres.database import Session
from db_sync.compare.fingerprint import Fingerprint, Totals, of_target
from db_sync.compare.outcomes import Merge
from db_sync.compare.ranges import Ranges
from db_sync.compare.row_counts import count_rows
from db_sync.plan.tables import TablePlan
from db_sync.planner import tables_themselves
from db_sync.run import Run
from db_sync.statements import target_value

RANGES_NAMED = 10  # in an error's message


def require_all_found(run: Run, merge: Merge, fetched: int) -> None:
    """Check that indexes find every row of the ranges that differ, before anything is written.

    Args:
        run: the run.
        merge: the table; its fingerprints were read without an index.
        fetched: how many rows the source sent.

    Raises:
        VerificationFailed: an index lacks rows.
    """
    if merge.numbers is None:
        return
    plan, comparison = merge.plan, merge.comparison
    rows = sum(dirty.rows for dirty in merge.dirty)
    if fetched != rows:
        raise _broken_index(run.source, plan, fetched, rows)
    if not merge.ranges.reads_index(merge.numbers):
        return
    in_ranges = merge.ranges.rows(plan.target, target_value, merge.numbers)
    (found,) = run.target.row(sql.SQL("SELECT count(*) FROM {}").format(in_ranges))
    if found != comparison.dirty_target_rows:
        raise _broken_index(run.target, plan, found, comparison.dirty_target_rows)


def verify_merged(run: Run, merge: Merge) -> None:
    """Read what was written again, and compare with the source's fingerprints.

    Raises:
        VerificationFailed: they differ.
    """
    plan, target, source = merge.plan, run.target, merge.totals
    numbers = None if source.rows <= run.tuning.max_rows_verified_whole else merge.numbers
    through_index = merge.ranges.reads_index(numbers)
    with (
        nullcontext() if through_index else tables_themselves(target),
        of_target(target, merge.ranges, numbers) as lines,
    ):
        *found, last = lines
    if wrong := _wrong_ranges(merge, map(Fingerprint.parse, found)):
        raise failure(run, plan, wrong)
    if numbers is None:
        if not Totals.parse(last).has_rows_of(source):
            raise failure(run, plan, ["its rows"])
        return
    with tables_themselves(target):
        rows = count_rows(target, plan.target)
    if rows != source.rows:
        raise _broken_index(target, plan, source.rows, rows)


def verify_all_rows(run: Run, ranges: Ranges, source: Totals) -> None:
    """Compute the totals of all rows of a table, and compare with the source's.

    For a table in which a foreign key's action could have changed other rows than were written.

    Raises:
        VerificationFailed: they differ.
    """
    with tables_themselves(run.target), of_target(run.target, ranges) as lines:
        (last,) = deque(lines, maxlen=1)
    if not Totals.parse(last).has_rows_of(source):
        raise failure(run, ranges.plan, ["its rows"])


def _wrong_ranges(merge: Merge, found: Iterable[Fingerprint]) -> list[str]:
    """Return which of the ranges that were written are not what the source has."""
    written = {dirty.of_source for dirty in merge.dirty}
    numbers = {fingerprint.number for fingerprint in written}
    expected = {fingerprint for fingerprint in written if fingerprint.rows}
    differ = expected.symmetric_difference(each for each in found if each.number in numbers)
    return [f"range {number}" for number in sorted({each.number for each in differ})]


def failure(run: Run, plan: TablePlan, wrong: list[str]) -> VerificationFailed:
    """Return the error for a table in which some ranges (or rows anywhere) are wrong."""
    return VerificationFailed(
        f"After the copy, {plan.name} is not what the source's snapshot holds:"
        f" {', '.join(wrong[:RANGES_NAMED])} differ. Everything was rolled back. Look for a"
        " trigger, rule, domain or collation that changes values in the target, or for an index"
        f" that lacks rows: {_reindex(run.target, plan)}"
    )


def _broken_index(session: Session, plan: TablePlan, found: int, rows: int) -> VerificationFailed:
    """Return the error for an index that lacks rows."""
    return VerificationFailed(
        f"{plan.name} has {rows} rows in the {session.role} {session.address} where its index"
        f" knows of {found}, so that no copy can be trusted. Nothing was written. Build its"
        f" indexes again there, and start again: {_reindex(session, plan)}"
    )


def _reindex(session: Session, plan: TablePlan) -> str:
    return session.quoted(sql.SQL("REINDEX TABLE {};").format(plan.name.identifier))
