"""Which tables differ, and in which ranges; the rest is left alone because it is the same."""

import time
from dataclasses import dataclass

from common.errors import SchemaMismatch
from common.log import logger
from db_sync.fingerprint import NOTHING, Fingerprint, both_sides
from db_sync.plan import TablePlan
from db_sync.ranges import Ranges, divide
from db_sync.result import TableResult
from db_sync.run import Run

# A table of fewer ranges is never "mostly different": a row or two would make it so.
FEW_RANGES = 32
# More dirty ranges than that are not remembered one by one (some 20 MB).
MOST_DIRTY = 100_000


@dataclass(frozen=True, slots=True)
class Difference:
    """A table that is not the same on both sides.

    `source` is the fingerprint of all its rows; `dirty` are the source's fingerprints of the
    ranges that differ, None where most of the table does.
    """

    ranges: Ranges
    source: Fingerprint
    target_rows: int
    dirty: list[Fingerprint] | None
    dirty_count: int
    range_count: int

    @property
    def plan(self) -> TablePlan:
        """The table."""
        return self.ranges.plan

    @property
    def is_copied_whole(self) -> bool:
        """Whether the target's rows are replaced and not merged with.

        Never where the target has values of its own to lose, if there is a key to keep them by.
        """
        if self.target_rows == 0 or not self.plan.has_key:
            return True
        return self.dirty is None and not (self.plan.own or self.plan.kept)

    @property
    def reason(self) -> str:
        """Why the table is copied or merged, for the report."""
        if self.target_rows == 0:
            return "the target's table is empty"
        if not self.plan.has_key:
            return "rows differ, and it has no key"
        return "most of it differs" if self.dirty is None else "rows differ"


def compare_tables(run: Run, plans: list[TablePlan]) -> tuple[list[Difference], list[TableResult]]:
    """Return the tables that differ, and the results of those that do not.

    Raises:
        StagingSyncError: reading failed, or the time is up.
    """
    differences: list[Difference] = []
    same: list[TableResult] = []
    for plan in run.each("compare", plans):
        run.limit(f"{plan.name} was compared")
        started = time.monotonic()
        try:
            difference = _compare(run, divide(run.source, plan))
        except SchemaMismatch as error:
            raise SchemaMismatch(f"{error} {_suspects(plan)}") from error
        if difference.dirty == []:
            same.append(
                TableResult(
                    str(plan.name),
                    "none",
                    "same rows",
                    difference.source.rows,
                    ranges=difference.range_count,
                    seconds=round(time.monotonic() - started, 3),
                )
            )
        else:
            differences.append(difference)
    logger.info("compared", tables=len(plans), different=len(differences))
    return differences, same


def _suspects(plan: TablePlan) -> str:
    """Name the table that was read, and the columns whose values may not convert."""
    columns = ", ".join(column.name for column in plan.compared if column.conversion)
    return f"It was reading {plan.name}" + (f", converting {columns}." if columns else ".")


def _compare(run: Run, ranges: Ranges) -> Difference:
    """Read both sides and return where they differ (nowhere: no dirty range)."""
    source, target_rows, count = NOTHING, 0, 0
    dirty_count, dirty = 0, list[Fingerprint]()
    with both_sides(run.source, run.target, ranges) as pairs:
        for ours, theirs in pairs:
            count += 1
            source = source.plus(ours)
            target_rows += theirs.rows
            if ours != theirs:
                dirty_count += 1
                if dirty_count <= MOST_DIRTY:
                    dirty.append(ours)
    is_mostly = dirty_count > MOST_DIRTY or (count >= FEW_RANGES and dirty_count * 2 > count)
    return Difference(ranges, source, target_rows, None if is_mostly else dirty, dirty_count, count)
