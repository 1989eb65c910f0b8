"""Where scattered rows differ, parts of the ranges that differ are compared before the rows' fetch.

Of a range of 64 rows in which one differs, eight are fetched then, and not all.
"""

from contextlib import nullcontext
from dataclasses import replace

from db_sync.compare.fingerprint import Comparison, compare_sides
from db_sync.compare.outcomes import Merge
from db_sync.compare.ranges import PARTS
from db_sync.planner import tables_themselves
from db_sync.run import Run

WORTHWHILE = 1 / 2  # of the rows; where more of them are in parts that differ, all are fetched


def narrowed(run: Run, merge: Merge) -> Merge | None:
    """Return the merge with the parts of its ranges that differ, which have fewer rows.

    Returns:
        None if that is not worthwhile, or not possible.
    """
    known, parts = merge.comparison, merge.ranges.divided
    rows = sum(dirty.rows for dirty in known.dirty)
    if parts is None or rows < run.tuning.min_rows_to_divide or not known.has_noted_all:
        return None
    without_index = tables_themselves(run.source, run.target)
    with (
        run.step("compare", merge.plan),
        without_index if merge.numbers is None else nullcontext(),
    ):
        found = compare_sides(run, merge.ranges, merge.numbers, parts)
    if merge.numbers is not None and not _has_all_rows(found, known):
        return None  # an index lacks rows, which is noticed when they are fetched
    wanted = sum(dirty.rows for dirty in found.dirty)
    if not found.has_noted_all or wanted > WORTHWHILE * rows:
        return None
    comparison = replace(
        known,
        source=known.source._replace(ranges=known.source.ranges * PARTS),
        target=known.target._replace(ranges=known.target.ranges * PARTS),
        dirty=found.dirty,
        dirty_count=found.dirty_count,
    )
    return replace(
        merge,
        ranges=parts,
        comparison=comparison,
        numbers=[dirty.number for dirty in found.dirty],
    )


def _has_all_rows(found: Comparison, known: Comparison) -> bool:
    """Return whether the parts have as many rows as the ranges were found to have."""
    return (
        found.source.rows == sum(dirty.rows for dirty in known.dirty)
        and found.target.rows == known.dirty_target_rows
    )
