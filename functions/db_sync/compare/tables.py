"""Which tables differ, and in which ranges; the rest is left alone because it is the same."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from psycopg2 import sql

from common.log import logger
from common.postgres.database import Session
from common.postgres.names import Name
from db_sync.brief_locks import letting_go
from db_sync.compare.fingerprint import MOST_DIRTY, Comparison, Fingerprint, both_sides
from db_sync.compare.planner import tables_themselves
from db_sync.compare.ranges import Ranges, divide, estimate_rows
from db_sync.compare.row_sample import many_rows_differ
from db_sync.plan.catalog import Table, table_rows
from db_sync.plan.tables import TablePlan
from db_sync.result import TableResult
from db_sync.run import Run, ask_at_once, converting

# A table of fewer ranges is never "mostly different": a row or two would make it so.
FEW_RANGES = 32
# Of a table of that many ranges a sample is compared before all of it. Where nine in ten of the
# sample differ, more than half of the table does, all but certainly.
MANY_RANGES = 1000
SAMPLE = 32
MOST_OF_SAMPLE = 0.9
MOSTLY = "most of it differs"
REFUSES_CHANGES = "rows differ, and its publication needs a replica identity to change some"


@dataclass(frozen=True, slots=True)
class Difference:
    """A table that is not the same on both sides.

    `source` is the fingerprint of all its rows, None if it was not read: the table differs for
    sure. `dirty` are the source's fingerprints of the ranges that differ, None where most of
    the table does; in those ranges the target has `dirty_target_rows`. Of all its rows,
    `stale_rows` are known to have a stale generated column.
    """

    ranges: Ranges
    reason: str
    is_copied_whole: bool  # the target's rows are replaced and not merged with
    about_rows: int  # in the source, estimated
    target_rows: int
    source: Fingerprint | None = None
    dirty: list[Fingerprint] | None = None
    dirty_count: int = 0
    dirty_target_rows: int = 0
    range_count: int = 0
    stale_rows: int = 0

    @property
    def plan(self) -> TablePlan:
        """The table."""
        return self.ranges.plan

    @property
    def numbers(self) -> list[int] | None:
        """The numbers of the ranges that differ; None where most of the table does."""
        return None if self.dirty is None else [dirty.number for dirty in self.dirty]


@dataclass(frozen=True, slots=True)
class Same:
    """A table that is the same on both sides, and the fingerprint of all its rows."""

    ranges: Ranges
    source: Fingerprint


@dataclass(frozen=True, slots=True)
class Compared:
    """The tables that differ, and those that do not, with their results."""

    differences: list[Difference]
    same: list[Same]
    results: list[TableResult]


class Divided(NamedTuple):
    """A table's ranges, and whether most of a sample of them differ."""

    ranges: Ranges
    is_sample_different: bool


def compare_tables(run: Run, plans: list[TablePlan]) -> Compared:
    """Return which tables differ.

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
    differences: list[Difference] = []
    same: list[Same] = []
    results: list[TableResult] = []
    with tables_themselves(run.source, run.target):
        for plan in letting_go(run.each("compare", plans), run.source, run.target):
            run.limit(f"{plan.name} was compared")
            about_rows = rows[plan.source.oid]
            with run.timed("compare", plan.name):
                found = (
                    _compare(run, divided[plan.name], about_rows)
                    if plan.name in divided
                    else _with_an_empty_side(run, plan, about_rows, in_source, in_target)
                )
            if isinstance(found, Difference):
                differences.append(found)
            else:
                same.append(found)
                results.append(_same(run, found))
    differences = [_merged_where_few_rows_differ(run, each) for each in differences]
    logger.info("compared", tables=len(plans), different=len(differences))
    return Compared(differences, same, results)


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
    """Divide tables into ranges and look at samples of them, for both of which indexes serve."""
    run.limit("the tables were divided")
    divided: dict[Name, Divided] = {}
    for plan in letting_go(plans, run.source, run.target):
        with run.timed("compare", plan.name), converting(plan):
            ranges = divide(run.source, plan, rows[plan.source.oid])
            divided[plan.name] = Divided(ranges, _is_sample_different(run, ranges))
    return divided


def _with_an_empty_side(
    run: Run, plan: TablePlan, about_rows: int, in_source: set[int], in_target: set[int]
) -> Difference | Same:
    """Return what to do about a table that has no rows in the source, the target, or both."""
    if plan.source.oid in in_source:
        return Difference(Ranges(plan), "the target's table is empty", True, about_rows, 0)
    if plan.target.oid in in_target:
        rows = count_rows(run.target, plan.target)
        return Difference(Ranges(plan), "the source's table is empty", True, 0, rows)
    return Same(Ranges(plan), Fingerprint(0, 0, 0))


def _compare(run: Run, divided: Divided, about_rows: int) -> Difference | Same:
    """Read both sides; return where they differ, or that they do not."""
    ranges = divided.ranges
    if divided.is_sample_different:
        target_rows = count_rows(run.target, ranges.plan.target)
        return Difference(ranges, "most of a sample differs", True, about_rows, target_rows)
    with converting(ranges.plan):
        found = both_sides(run.source, run.target, ranges)
    if found.dirty_count:
        return _difference(ranges, about_rows, found)
    return Same(ranges, found.source)


def _is_sample_different(run: Run, ranges: Ranges) -> bool:
    """Whether most of some ranges differ, which are spread over a table that may be copied whole.

    Ranges by hash are scattered all over the table: to read a few means to read all of it.
    """
    plan, count = ranges.plan, ranges.greatest - ranges.least + 1
    if ranges.shift is None or count < MANY_RANGES or plan.own or plan.kept:
        return False
    found = both_sides(run.source, run.target, ranges, ranges.sample(SAMPLE))
    sampled = max(found.source.number, found.target.number)  # those that have rows
    return (
        sampled >= SAMPLE // 2
        and found.dirty_count >= MOST_OF_SAMPLE * sampled
        and many_rows_differ(run, ranges)
    )


def _difference(ranges: Ranges, about_rows: int, found: Comparison) -> Difference:
    """Return what to do about a table whose sides differ."""
    plan = ranges.plan
    count = max(found.source.number, found.target.number)
    is_mostly = count >= FEW_RANGES and found.dirty_count * 2 > count
    is_mostly = is_mostly or found.dirty_count > MOST_DIRTY
    if not plan.has_key:
        reason, is_copied_whole = "rows differ, and it has no key", True
    elif plan.target.publications.refuses_changes:
        reason, is_copied_whole = REFUSES_CHANGES, True
    elif is_mostly:
        # Not where the target has values of its own to lose.
        reason, is_copied_whole = MOSTLY, not (plan.own or plan.kept)
    else:
        reason, is_copied_whole = "rows differ", False
    return Difference(
        ranges,
        reason,
        is_copied_whole,
        about_rows,
        found.target.rows,
        found.source,
        None if is_mostly or is_copied_whole else found.dirty,
        found.dirty_count,
        found.dirty_target_rows,
        count,
        found.stale_rows,
    )


def _merged_where_few_rows_differ(run: Run, difference: Difference) -> Difference:
    """Return the difference as a merge where it is mostly of ranges with a few rows each.

    Indexes may serve here: what they miss changes the way to the result and not the result.
    """
    if difference.reason != MOSTLY or not difference.is_copied_whole:
        return difference
    plan = difference.plan
    run.limit(f"{plan.name} was sampled")
    with run.timed("compare", plan.name), converting(plan):
        if many_rows_differ(run, difference.ranges):
            return difference
    return replace(difference, reason="rows differ in most ranges", is_copied_whole=False)


def _same(run: Run, found: Same) -> TableResult:
    plan = found.ranges.plan
    return TableResult(
        str(plan.name),
        "none",
        "same rows",
        found.source.rows,
        ranges=found.source.number,
        seconds=dict(run.seconds[plan.name]),
    )
