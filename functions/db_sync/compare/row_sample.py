"""Of a table of which most ranges differ: whether many of its rows do, or a few in each range.

A few are merged: readers are not locked out, and no row is written that is as it should be.
"""

from common.postgres.copying import lines
from db_sync.compare.ranges import Ranges
from db_sync.run import Run
from db_sync.statements import source_value, statement, target_value

SAMPLE = 32  # ranges
MANY = 1 / 3  # of the rows; to copy them all takes no longer than to merge so many


def many_rows_differ(run: Run, ranges: Ranges) -> bool:
    """Return whether many rows differ of a sample, or the sample has no rows."""
    plan, numbers = ranges.plan, ranges.sample(SAMPLE)
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
