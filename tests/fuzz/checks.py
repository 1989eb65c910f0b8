"""One sync of a round, and what must hold after a dry run, after it, and after a second one."""

import traceback
from collections import Counter
from dataclasses import dataclass
from typing import Any

from common.errors import ConfigurationError, StagingSyncError
from common.reports.sync import SyncResult
from tests.fuzz import oracle
from tests.fuzz.engine import is_fault, sync, sync_in_parts
from tests.fuzz.finding import Finding
from tests.fuzz.oracle import State
from tests.fuzz.rounds import Round
from tests.fuzz.side import Side
from tests.support.small_limits import tuning

# The counts that a dry run and the sync after it must have in common.
COUNTS = ("tables", "tables_changed", "rows_inserted", "rows_updated", "rows_deleted")
type Outcome = SyncResult | StagingSyncError
type Seen = tuple[State, str]  # rows and numbers, and the schema


@dataclass(frozen=True, slots=True)
class Check:
    """Syncs two sides as a round says, and adds the results to `counts`."""

    round: Round
    source: Side
    target: Side
    counts: Counter[str]

    def run(self, *, is_tried_dry: bool) -> bool:
        """Sync, perhaps after a dry run, and then a second time.

        Returns:
            Whether the target is what it was, or what the source is; otherwise it is in between, as
            after parts of which one could not be done.

        Raises:
            Finding: something does not hold.
        """
        source, before = self.source.see(), self.target.see_all()
        is_tried_dry = is_tried_dry or self.round.is_in_parts
        dry = self._sync(dry_run=True) if is_tried_dry else None
        if dry is not None:
            self.counts["dry runs"] += 1
            self._must_be_as_before("a dry run", before)
        if self.round.is_in_parts and isinstance(dry, StagingSyncError):
            return self._must_fail_in_parts(dry, before)
        outcome = self._sync()
        if self.source.see() != source:
            raise Finding("the source is written", "it is not what it was before the sync")
        if isinstance(outcome, StagingSyncError):
            self._must_be_refused(outcome, before)
        else:
            self._must_be_synced(outcome, source, before)
        if dry is not None:
            _must_be_alike(dry, outcome, are_ways_alike=not self.round.is_in_parts)
        return True

    def _sync(self, *, dry_run: bool = False) -> Outcome:
        """Sync; in parts if the round says so, and there can be parts."""
        reader = "fuzz_reader" if self.round.is_reader else "postgres"
        sides = self.source.url(reader), self.target.url(self.round.user)
        limits = tuning(is_large=self.round.is_large)
        try:
            if self.round.is_in_parts and not dry_run:
                outcome = sync_in_parts(*sides, self.round.rules, tuning=limits)
                if not _are_parts_refused(outcome):
                    self.counts["in parts"] += 1
                    return outcome
                self.counts["not in parts"] += 1
            return sync(*sides, self.round.rules, dry_run=dry_run, tuning=limits)
        except Exception as error:
            last = traceback.extract_tb(error.__traceback__)[-1]
            kind = f"crash, {type(error).__name__} in {last.name}"
            raise Finding(kind, traceback.format_exc()) from error

    def _must_fail_in_parts(self, error: StagingSyncError, before: Seen) -> bool:
        """Check that parts fail too where a sync in one does; return whether nothing was written.

        Not what a part wrote: that stays.
        """
        outcome = self._sync()
        if isinstance(outcome, SyncResult):
            raise Finding("synced in parts alone", f"and not in one: {error}")
        self.counts[f"refused: {type(outcome).__name__}"] += 1
        after = self.target.see_all()
        if after[1] != before[1]:
            raise Finding("another schema", oracle.difference(before[1], after[1]))
        if is_fault(outcome):
            raise Finding(type(outcome).__name__, str(outcome))
        return after == before

    def _must_be_refused(self, error: StagingSyncError, before: Seen) -> None:
        """Check that the error is an expected one, and that the target is as before."""
        self.counts[f"refused: {type(error).__name__}"] += 1
        self._must_be_as_before(f"a refused sync ({error})", before)
        if is_fault(error):
            raise Finding(type(error).__name__, str(error))
        if not self.round.may_be_refused:
            raise Finding("refused without a reason", f"{type(error).__name__}: {error}")

    def _must_be_as_before(self, after: str, before: Seen) -> None:
        if self.target.see_all() != before:
            raise Finding("the target is not as before", f"after {after}")

    def _must_be_synced(self, result: SyncResult, source: State, before: Seen) -> None:
        """Check that the target is as it must be, and that a second sync changes nothing."""
        self.counts[result.status] += 1
        after, schema = self.target.see_all()
        if schema != before[1]:
            raise Finding("another schema", oracle.difference(before[1], schema))
        rules = oracle.Rules.of(self.round.rules)
        found = oracle.differing(source, after, before[0], rules)
        if found:
            raise Finding("not identical", "; ".join(found))
        if found := oracle.broken(after, before[0], " ".join(result.warnings)):
            raise Finding("constraints broken", "; ".join(found))
        if (result.status == "synced") == (after == before[0]):
            raise Finding("wrong status", f"{result.status} of {result.output()}")
        again = self._sync()
        if isinstance(again, StagingSyncError):
            raise Finding("refused when identical", f"{type(again).__name__}: {again}")
        if again.status != "unchanged":
            raise Finding("not unchanged", _summary(again))
        if self.target.see() != after:
            raise Finding("the target is not as before", "after a second sync")
        self.counts["then unchanged"] += 1


def _are_parts_refused(outcome: Outcome) -> bool:
    """Return whether nothing was done, since the sync cannot be done in parts."""
    return isinstance(outcome, ConfigurationError) and "in parts" in outcome.message


def _must_be_alike(dry: Outcome, outcome: Outcome, *, are_ways_alike: bool) -> None:
    """Check that the dry run reported what the sync did.

    Unless both have merged and replaced the same tables, a key with the same value and other bytes
    may be an update to one of them, and a deletion and an insertion to the other.
    """
    if isinstance(dry, StagingSyncError):
        if is_fault(dry) or type(dry) is not type(outcome):
            what = "synced" if isinstance(outcome, SyncResult) else type(outcome).__name__
            raise Finding("the dry run alone is refused", f"{type(dry).__name__}: {dry}; {what}")
        return
    counts = _counts if are_ways_alike else _growth
    if isinstance(outcome, SyncResult) and counts(dry) != counts(outcome):
        raise Finding("other counts in the dry run", f"{_summary(dry)}; then {_summary(outcome)}")


def _counts(result: SyncResult) -> tuple[Any, ...]:
    output = result.output()
    return (*(output[name] for name in COUNTS), result.sequences)


def _growth(result: SyncResult) -> tuple[Any, ...]:
    """Return by how many rows each table has grown."""
    tables = {table.table: table.rows_inserted - table.rows_deleted for table in result.tables}
    return tables, result.sequences


def _summary(result: SyncResult) -> str:
    changed = [table for table in result.tables if table.action != "none"]
    return f"{result.status}: {changed}, sequences {result.sequences}, {result.warnings}"
