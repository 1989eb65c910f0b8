"""Whether a table that differs is merged or replaced."""

from typing import NamedTuple

from db_sync.compare.fingerprint import Comparison
from db_sync.compare.narrowing import narrowed
from db_sync.compare.outcomes import Merge, Replace, Same
from db_sync.compare.ranges import Ranges
from db_sync.compare.row_sample import many_rows_differ
from db_sync.run import Run

REFUSES_CHANGES = "rows differ, and its publication needs a replica identity to change some"


class Found(NamedTuple):
    """A table whose sides differ, and where; `about_rows`: of the source, estimated."""

    ranges: Ranges
    about_rows: int
    comparison: Comparison


def found_in(ranges: Ranges, about_rows: int, comparison: Comparison) -> Found | Same:
    """Return what a comparison found of a table."""
    if comparison.dirty_count:
        return Found(ranges, about_rows, comparison)
    return Same(ranges, comparison.source)


def decide(run: Run, found: Found) -> Merge | Replace:
    """Return what to do about a table whose sides differ."""
    ranges, about_rows, comparison = found
    plan = ranges.plan

    def replace(reason: str) -> Replace:
        return Replace(ranges, reason, about_rows, comparison.target.rows, comparison)

    if not plan.has_key:
        return replace("rows differ, and it has no key")
    if plan.target.publications.refuses_changes:
        return replace(REFUSES_CHANGES)
    if not _is_mostly_dirty(run, comparison):
        numbers = [dirty.number for dirty in comparison.dirty]
        merge = Merge(ranges, "rows differ", comparison, numbers)
        return narrowed(run, merge) or merge
    # Not where replacing would lose values of the target's own.
    if not plan.own and not plan.kept:
        with run.step("compare", plan):
            if many_rows_differ(run, ranges):
                return replace("most of it differs")
    merge = Merge(ranges, "rows differ in most ranges", comparison, numbers=None)
    return narrowed(run, merge) or merge


def _is_mostly_dirty(run: Run, comparison: Comparison) -> bool:
    """Return whether most ranges differ, or too many to note each."""
    count, dirty = comparison.range_count, comparison.dirty_count
    is_most = count >= run.tuning.min_ranges_for_mostly and dirty * 2 > count
    return is_most or dirty > run.tuning.max_ranges_noted
