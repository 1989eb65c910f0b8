"""What a comparison finds of a table: it is the same, its rows are merged, or they are replaced."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Self

from common.postgres.copying import Transferred
from common.reports.sync import Changes, TableResult
from db_sync.compare.fingerprint import Comparison, Dirty, Totals
from db_sync.compare.ranges import Ranges
from db_sync.plan.tables import TablePlan


@dataclass(frozen=True, slots=True)
class Same:
    """A table that is the same on both sides, and the totals of its rows."""

    ranges: Ranges
    totals: Totals

    @property
    def plan(self) -> TablePlan:
        """The table."""
        return self.ranges.plan

    @property
    def comparison(self) -> Comparison:
        """What it was found to be by."""
        return Comparison(self.totals, self.totals.extent)

    def result(self, seconds: dict[str, float]) -> TableResult:
        """Return the table's result, with the seconds that each phase took."""
        return TableResult(
            table=str(self.plan.name),
            action="none",
            reason="same rows",
            rows=self.totals.rows,
            ranges=self.totals.ranges,
            seconds=seconds,
        )


@dataclass(frozen=True, slots=True)
class Merge:
    """A table of which only the rows that differ are written.

    They are searched for among the rows of the ranges `numbers`; None: of all ranges.
    """

    ranges: Ranges
    reason: str
    comparison: Comparison
    numbers: list[int] | None

    @property
    def plan(self) -> TablePlan:
        """The table."""
        return self.ranges.plan

    @property
    def totals(self) -> Totals:
        """The source's totals."""
        return self.comparison.source

    @property
    def dirty(self) -> list[Dirty]:
        """The ranges `numbers`, as they were compared; none where these are all ranges."""
        return [] if self.numbers is None else self.comparison.dirty

    @property
    def stale_rows(self) -> int:
        """How many of the target's rows have a stale generated column."""
        return self.comparison.stale_rows

    def result(self, sent: Transferred, changes: Changes, seconds: dict[str, float]) -> TableResult:
        """Return the table's result.

        Args:
            sent: what came from the source.
            changes: the rows that were written, or would be.
            seconds: that each phase took.
        """
        return TableResult(
            table=str(self.plan.name),
            action="merge",
            reason=self.reason,
            rows=self.totals.rows,
            bytes=sent.bytes,
            ranges=self.comparison.range_count,
            ranges_changed=self.comparison.dirty_count,
            seconds=seconds,
            **changes.counts(),
        )


@dataclass(frozen=True, slots=True)
class Replace:
    """A table whose rows are all replaced by the source's.

    `about_rows` are the source's, estimated. `comparison` is None where the table was not compared
    completely, since it was seen to differ before that.
    """

    ranges: Ranges
    reason: str
    about_rows: int
    target_rows: int
    comparison: Comparison | None = None

    @property
    def plan(self) -> TablePlan:
        """The table."""
        return self.ranges.plan

    @property
    def stale_rows(self) -> int:
        """How many of the target's rows were found to have a stale generated column."""
        return self.comparison.stale_rows if self.comparison else 0

    def result(self, sent: Transferred, changes: Changes, seconds: dict[str, float]) -> TableResult:
        """Return the table's result; the arguments are those of `Merge.result`."""
        found = self.comparison
        return TableResult(
            table=str(self.plan.name),
            action="copy",
            reason=self.reason,
            rows=found.source.rows if found else sent.rows,
            bytes=sent.bytes,
            ranges=found.range_count if found else 0,
            ranges_changed=found.dirty_count if found else 0,
            seconds=seconds,
            **changes.counts(),
        )


type Outcome = Same | Merge | Replace


@dataclass(frozen=True, slots=True)
class Compared:
    """What was found of all tables."""

    same: list[Same] = field(default_factory=list)
    merges: list[Merge] = field(default_factory=list)
    replacements: list[Replace] = field(default_factory=list)

    @classmethod
    def of(cls, outcomes: Iterable[Outcome]) -> Self:
        """Sort the outcomes of all tables."""
        compared = cls()
        for found in outcomes:
            match found:
                case Same():
                    compared.same.append(found)
                case Merge():
                    compared.merges.append(found)
                case Replace():
                    compared.replacements.append(found)
        return compared

    @property
    def outcomes(self) -> list[Outcome]:
        """What was found of each table."""
        return [*self.same, *self.merges, *self.replacements]

    @property
    def differences(self) -> list[Merge | Replace]:
        """The tables that differ."""
        return [*self.merges, *self.replacements]

    @property
    def plans(self) -> list[TablePlan]:
        """The plans of the tables that differ."""
        return [each.plan for each in self.differences]
