"""Rows of the target that are new since a table was compared, and a comparison of their ranges."""

from psycopg2 import sql

from db_sync.compare.fingerprint import Comparison, Extent, compare_sides
from db_sync.compare.moment import Moment
from db_sync.compare.ranges import Ranges
from db_sync.compare.row_counts import count_rows
from db_sync.planner import tables_themselves
from db_sync.run import Run
from db_sync.statements import statement, target_value

WORTHWHILE = 1 / 4  # of the ranges; with more of them, all of the table is compared as quickly


def read_age(run: Run, moment: Moment) -> int:
    """Return how far back the oldest transaction is that a moment of the target does not show.

    For this transaction of the target's session only, to which age() refers.
    """
    (age,) = run.target.row("SELECT pg_catalog.age(%s::xid)", [str(moment.oldest_xid)])
    return int(age)


def compare_new_rows(run: Run, ranges: Ranges, known: Comparison, age: int) -> Comparison | None:
    """Return a table's comparison as of now, for which only ranges with new rows are compared.

    Args:
        run: the target's session has locked the table.
        ranges: the table.
        known: the comparison of all its ranges at an earlier moment.
        age: of that moment, see `read_age`.

    Returns:
        None if rows have gone elsewhere, or too many ranges have new ones.
    """
    most = min(run.tuning.max_ranges_noted, int(known.range_count * WORTHWHILE))
    with tables_themselves(run.target):
        numbers = _find_new_rows(run, ranges, age, most + 1)
        if not numbers:
            rows = count_rows(run.target, ranges.plan.target)
            return known if rows == known.target.rows else None
        if len(numbers) > most:
            return None
        rows, in_ranges = _count_rows_in(run, ranges, numbers)
    again = compare_sides(run, ranges, numbers)
    if again.target.rows != in_ranges:  # an index lacks rows
        return None
    if rows - in_ranges != _rows_elsewhere(known, again, set(numbers)):
        return None
    return _joined(known, again, set(numbers), known.target._replace(rows=rows))


def _find_new_rows(run: Run, ranges: Ranges, age: int, most: int) -> list[int]:
    """Return the numbers of ranges that have new rows, in order and not of more than `most`."""
    query = statement(
        "compare/find_new_rows",
        {
            "age": sql.Literal(age),
            "number": ranges.number(target_value),
            "rows": ranges.rows(ranges.plan.target, target_value, None),
            "most": sql.Literal(most),
        },
    )
    return sorted(number for (number,) in run.target.rows(query))


def _count_rows_in(run: Run, ranges: Ranges, numbers: list[int]) -> tuple[int, int]:
    """Return how many rows the target has, and how many of them in some ranges."""
    query = statement(
        "compare/count_rows_in",
        {
            "are_in_ranges": ranges.are_of(target_value, numbers),
            "rows": ranges.rows(ranges.plan.target, target_value, None),
        },
    )
    rows, in_ranges = run.target.row(query)
    return rows, in_ranges


def _rows_elsewhere(known: Comparison, again: Comparison, numbers: set[int]) -> int:
    """Return how many rows the target had outside of ranges when all were compared.

    Inside of one it had as many as the source, unless the range was dirty.
    """
    dirty = [each for each in known.dirty if each.number in numbers]
    inside = again.source.rows + sum(each.target_rows - each.rows for each in dirty)
    return known.target.rows - inside


def _joined(known: Comparison, again: Comparison, numbers: set[int], target: Extent) -> Comparison:
    """Return a comparison in which that of some ranges is replaced by a later one."""
    kept = [each for each in known.dirty if each.number not in numbers]
    dirty = sorted([*kept, *again.dirty])
    stale_rows = max(known.stale_rows, again.stale_rows)
    return Comparison(known.source, target, dirty, len(dirty), stale_rows)
