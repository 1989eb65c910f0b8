"""Which tables differ, and in which ranges; the others are left alone because they are the same."""

from collections.abc import Sequence
from typing import NamedTuple

from psycopg2 import sql

from common.log import logger
from common.postgres.database import Session
from common.postgres.names import Name
from db_sync.brief_locks import letting_go
from db_sync.compare.fingerprint import NOTHING, Comparison, compare_sides
from db_sync.compare.outcomes import Compared, Merge, Replace, Same
from db_sync.compare.ranges import Ranges, divide, estimate_rows
from db_sync.compare.row_sample import many_rows_differ, most_rows_differ
from db_sync.compare.small_tables import compare_small, is_small
from db_sync.plan.catalog import Table, table_rows
from db_sync.plan.tables import TablePlan
from db_sync.planner import tables_themselves
from db_sync.run import Run, ask_at_once

REFUSES_CHANGES = "rows differ, and its publication needs a replica identity to change some"


class Divided(NamedTuple):
    """A table's ranges, and whether most of the table differs by a sample of them."""

    ranges: Ranges
    is_mostly_different: bool


class Found(NamedTuple):
    """A table whose sides differ, and where; `about_rows`: of the source, estimated."""

    ranges: Ranges
    about_rows: int
    comparison: Comparison


def compare_tables(run: Run, plans: list[TablePlan]) -> Compared:
    """Return which tables differ, and what is to be done about each.

    Raises:
        StagingSyncError: reading failed, or the time is up.
    """
    rows = estimate_rows(run.source, plans)
    with tables_themselves(run.source, run.target):
        in_source = _which_have_rows(run.source, [plan.source for plan in plans])
        in_target = _which_have_rows(run.target, [plan.target for plan in plans])
    filled = [
        plan for plan in plans if plan.source.oid in in_source and plan.target.oid in in_target
    ]
    divided = _divide(run, filled, rows)
    with tables_themselves(run.source, run.target):
        found = _compare_small_ones(run, divided, rows)
        for plan in letting_go(run.each("compare", plans), run.source, run.target):
            if plan.name in found:
                continue
            about_rows = rows[plan.source.oid]
            with run.step("compare", plan):
                found[plan.name] = (
                    _compare(run, divided[plan.name], about_rows)
                    if plan.name in divided
                    else _with_an_empty_side(run, plan, about_rows, in_source, in_target)
                )
    compared = Compared()
    for plan in plans:
        each = found[plan.name]
        # Indexes may serve here: what they miss changes the way to the result and not the result.
        compared.add(_decide(run, each) if isinstance(each, Found) else each)
    logger.info("compared", tables=len(plans), different=len(compared.differences))
    return compared


def _which_have_rows(session: Session, tables: Sequence[Table]) -> set[int]:
    """Return the oids of the tables that have rows, in few round trips."""

    def ask(some: Sequence[Table]) -> list[bool]:
        exist = [sql.SQL("EXISTS (SELECT FROM {})").format(table_rows(table)) for table in some]
        query = sql.SQL("SELECT ARRAY[{}]::boolean[]").format(sql.SQL(", ").join(exist))
        (found,) = session.row(query)
        return list(found)

    found = ask_at_once(session, "table", tables, ask)
    return {table.oid for table, has_rows in zip(tables, found, strict=True) if has_rows}


def count_rows(session: Session, table: Table) -> int:
    """Return how many rows a table has."""
    (rows,) = session.row(sql.SQL("SELECT count(*) FROM {}").format(table_rows(table)))
    return int(rows)


def _divide(run: Run, plans: list[TablePlan], rows: dict[int, int]) -> dict[Name, Divided]:
    """Divide tables into ranges and look at samples of them; indexes serve for both."""
    run.limit("the tables were divided")
    divided: dict[Name, Divided] = {}
    for plan in letting_go(plans, run.source, run.target):
        with run.timed("compare", plan):
            ranges = divide(run.source, plan, rows[plan.source.oid], run.tuning)
            divided[plan.name] = Divided(ranges, most_rows_differ(run, ranges))
    return divided


def _compare_small_ones(
    run: Run, divided: dict[Name, Divided], rows: dict[int, int]
) -> dict[Name, Found | Replace | Same]:
    """Compare the small tables together, as far as they can be."""
    small = [each.ranges for each in divided.values() if is_small(each.ranges)]
    return {
        ranges.plan.name: _found(ranges, rows[ranges.plan.source.oid], comparison)
        for ranges, comparison in zip(small, compare_small(run, small), strict=True)
        if comparison
    }


def _with_an_empty_side(
    run: Run, plan: TablePlan, about_rows: int, in_source: set[int], in_target: set[int]
) -> Replace | Same:
    """Return what to do about a table that has no rows in the source, the target, or both."""
    if plan.source.oid in in_source:
        return Replace(Ranges(plan), "the target's table is empty", about_rows, target_rows=0)
    if plan.target.oid in in_target:
        rows = count_rows(run.target, plan.target)
        return Replace(Ranges(plan), "the source's table is empty", about_rows=0, target_rows=rows)
    return Same(Ranges(plan), NOTHING)


def _compare(run: Run, divided: Divided, about_rows: int) -> Found | Replace | Same:
    """Read both sides; return where they differ, or that they do not."""
    ranges = divided.ranges
    if divided.is_mostly_different:
        target_rows = count_rows(run.target, ranges.plan.target)
        return Replace(ranges, "most of a sample differs", about_rows, target_rows)
    return _found(ranges, about_rows, compare_sides(run, ranges))


def _found(ranges: Ranges, about_rows: int, comparison: Comparison) -> Found | Same:
    if comparison.dirty_count:
        return Found(ranges, about_rows, comparison)
    return Same(ranges, comparison.source)


def _decide(run: Run, found: Found) -> Merge | Replace:
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
        numbers = [fingerprint.number for fingerprint in comparison.dirty]
        return Merge(ranges, "rows differ", comparison, numbers)
    if plan.own or plan.kept:  # values of the target's own, which replacing would lose
        return Merge(ranges, "most of it differs", comparison, numbers=None)
    with run.step("compare", plan):
        if many_rows_differ(run, ranges):
            return replace("most of it differs")
    return Merge(ranges, "rows differ in most ranges", comparison, numbers=None)


def _is_mostly_dirty(run: Run, comparison: Comparison) -> bool:
    """Return whether most ranges differ, or too many to note each."""
    count, dirty = comparison.range_count, comparison.dirty_count
    is_most = count >= run.tuning.min_ranges_for_mostly and dirty * 2 > count
    return is_most or dirty > run.tuning.max_ranges_noted
