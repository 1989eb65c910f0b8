"""Which tables differ, and which are left alone because they are the same already."""

import time
from dataclasses import dataclass

from common.log import logger
from db_sync.fingerprint import Fingerprint, fingerprint_both
from db_sync.plan import TablePlan
from db_sync.result import TableResult
from db_sync.run import Run


@dataclass(frozen=True, slots=True)
class Difference:
    """A table that is not the same on both sides."""

    plan: TablePlan
    source: Fingerprint
    target: Fingerprint

    @property
    def is_copied_whole(self) -> bool:
        """Whether there is nothing to merge with, or no key to merge by."""
        return self.target.rows == 0 or not self.plan.has_key

    @property
    def reason(self) -> str:
        """Why the table is copied or merged, for the report."""
        if self.target.rows == 0:
            return "the target's table is empty"
        return "rows differ" if self.plan.has_key else "rows differ, and it has no key"


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
        source, target = fingerprint_both(run.source, run.target, plan)
        if source == target:
            seconds = round(time.monotonic() - started, 3)
            same.append(
                TableResult(str(plan.name), "none", "same rows", source.rows, seconds=seconds)
            )
        else:
            differences.append(Difference(plan, source, target))
    logger.info("compared", tables=len(plans), different=len(differences))
    return differences, same
