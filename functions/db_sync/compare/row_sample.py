"""A sample of ranges: whether most of them differ, and whether many of their rows do.

Where a few rows differ in each range, the table is merged: readers are not locked out, and no row
is written that is as it should be.
"""

from common.postgres.copying import lines
from db_sync.compare.fingerprint import compare_sides
from db_sync.compare.ranges import Ranges
from db_sync.run import Run
from db_sync.statements import source_value, statement, target_value

# Where nine in ten ranges of a sample differ, more than half of the table does, all but certainly.
MOST_OF_SAMPLE = 0.9
MANY = 1 / 3  # of the rows; copying them all takes no longer than merging so many


def most_rows_differ(run: Run, ranges: Ranges) -> bool:
    """Return whether most of a large table can be taken to differ without reading all of it.

    Only where ranges are of key values: those by hash are scattered all over the table, so that
    reading a few of them reads all of it. Not where the target has values of its own to lose.
    """
    plan, count = ranges.plan, ranges.greatest - ranges.least + 1
    if ranges.shift is None or count < run.tuning.min_ranges_for_sample or plan.own or plan.kept:
        return False
    size = run.tuning.sampled_ranges
    found = compare_sides(run, ranges, ranges.sample(size))
    return (
        found.range_count >= size // 2  # those that have rows
        and found.dirty_count >= MOST_OF_SAMPLE * found.range_count
        and many_rows_differ(run, ranges)
    )


def many_rows_differ(run: Run, ranges: Ranges) -> bool:
    """Return whether many rows differ of a sample, or the sample has no rows."""
    plan, numbers = ranges.plan, ranges.sample(run.tuning.sampled_ranges)
    ours, theirs = (
        statement(
            "compare/copy_row_hashes", {"hashes": ranges.row_hashes(table, value_of, numbers)}
        )
        for table, value_of in ((plan.source, source_value), (plan.target, target_value))
    )
    with lines(run.source, ours) as source, lines(run.target, theirs) as target:
        left, right = set(source), set(target)
    rows = max(len(left), len(right))
    differing = max(len(left - right), len(right - left))
    return differing >= MANY * rows
