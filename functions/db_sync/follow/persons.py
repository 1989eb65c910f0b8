"""Production's users, copied to the target as far as people are told by them."""

import math
from collections.abc import Sequence
from dataclasses import replace

from psycopg2 import sql

from db_sync.compare.fingerprint import compare_sides
from db_sync.compare.ranges import Ranges, divide, estimate_rows
from db_sync.compare.row_sample import many_rows_differ
from db_sync.plan.tables import People, PlannedColumn
from db_sync.planner import tables_themselves
from db_sync.run import Run
from db_sync.write.copy_rows import copy_rows

WORTHWHILE = 1 / 2  # of the rows; where more of them differ, all are copied as quickly


def columns_of(people: People) -> list[PlannedColumn]:
    """Return the columns of users by which people are told, and the sub."""
    same = people.found_by or people.users.while_same.get(people.sub.name)
    wanted = {people.sub.name, *people.users.target.key, *(same.columns if same else ())}
    return [column for column in people.users.sent if column.name in wanted]


def copy_persons(run: Run, people: People, into: sql.Composable, *, may_be_some: bool) -> None:
    """Copy these columns of production's users into a temporary table of the target's.

    Args:
        run: the run.
        people: the users.
        into: the temporary table.
        may_be_some: whether those may be left out that are the same on both sides.
    """
    columns = columns_of(people)
    plan = replace(people.users, compared=tuple(columns), kept=(), own=(), while_same={})
    rows = estimate_rows(run.source, [plan])[plan.source.oid]
    ranges = divide(run.source, plan, rows, run.tuning)
    if may_be_some and (parts := ranges.divided):
        numbers, expected = _where_they_differ(run, ranges, parts)
        if not expected:
            return
        if expected <= rows * WORTHWHILE:
            sent = copy_rows(run, parts, numbers, into, columns=columns)
            if sent.rows == expected:
                return
            # An index lacks rows. With all of them, some are twice.
            run.target.execute(sql.SQL("TRUNCATE {}").format(into))
    with tables_themselves(run.source):
        copy_rows(run, Ranges(plan), None, into, columns=columns)


def _where_they_differ(run: Run, ranges: Ranges, parts: Ranges) -> tuple[Sequence[int], float]:
    """Return the parts of ranges in which persons differ, and how many rows production has there.

    The rows are infinitely many if it is not worthwhile to know.
    """
    is_large = ranges.greatest - ranges.least >= run.tuning.min_ranges_for_sample
    if ranges.shift is not None and is_large and many_rows_differ(run, ranges):
        return [], math.inf
    with tables_themselves(run.source, run.target):
        found = compare_sides(run, parts)
    if not found.has_noted_all:
        return [], math.inf
    return [dirty.number for dirty in found.dirty], sum(dirty.rows for dirty in found.dirty)
