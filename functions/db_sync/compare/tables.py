"""Which tables differ, and in which ranges; the others are left alone because they are the same."""

from typing import NamedTuple

from common.log import logger
from common.postgres.names import Name
from db_sync.brief_locks import letting_go
from db_sync.compare.decision import Found, decide, found_in
from db_sync.compare.fingerprint import NOTHING, compare_sides
from db_sync.compare.outcomes import Compared, Replace, Same
from db_sync.compare.ranges import Ranges, divide, estimate_rows
from db_sync.compare.row_counts import count_rows, which_have_rows
from db_sync.compare.row_sample import most_rows_differ
from db_sync.compare.small_tables import compare_small, is_small
from db_sync.plan.tables import TablePlan
from db_sync.planner import tables_themselves
from db_sync.run import Run


class Divided(NamedTuple):
    """A table's ranges, and whether most of the table differs by a sample of them."""

    ranges: Ranges
    is_mostly_different: bool


def compare_tables(run: Run, plans: list[TablePlan]) -> Compared:
    """Return which tables differ, and what is to be done about each.

    Raises:
        StagingSyncError: reading failed, or the time is up.
    """
    rows = estimate_rows(run.source, plans)
    with tables_themselves(run.source, run.target):
        in_source = which_have_rows(run.source, [plan.source for plan in plans])
        in_target = which_have_rows(run.target, [plan.target for plan in plans])
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
    # Indexes may serve here: what they miss changes the way to the result and not the result.
    compared = Compared.of(
        decide(run, each) if isinstance(each, Found) else each
        for each in (found[plan.name] for plan in plans)
    )
    logger.info("compared", tables=len(plans), different=len(compared.differences))
    return compared


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
        ranges.plan.name: found_in(ranges, rows[ranges.plan.source.oid], comparison)
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
    return found_in(ranges, about_rows, compare_sides(run, ranges))
