"""What follows the parts: checks of all of them together, and what no part can do alone.

Called after each round. It says what the next round has to do, as long as there is something: parts
that failed, parts that were made equal to a snapshot that was lost, checks, and the parts of tables
that a check found wrong. In the end sequences and materialized views follow.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

from psycopg2 import sql

from common import errors
from common.errors import (
    DatabaseUnavailable,
    OutOfTime,
    StagingSyncError,
    TargetBusy,
    VerificationFailed,
)
from common.log import logger
from common.postgres.commits import commit
from common.postgres.database import Session
from common.postgres.names import Name
from common.postgres.settings.event_triggers import silenced
from db_sync.compare.extensions import warn_of_added_rows
from db_sync.parts.board import Board, Kept
from db_sync.parts.checks import Blocks, Check, count, is_of_source, list_checks
from db_sync.parts.dividing import divide_again
from db_sync.parts.opening import begin_target, plan_as_divided
from db_sync.parts.part import Division, KeyCheck, Part, Piece, RowCount
from db_sync.parts.result import PieceResult, added_up
from db_sync.parts.shared_snapshot import begin_kept
from db_sync.parts.sizes import measure
from db_sync.plan.sequences import plan_sequences
from db_sync.plan.tables import Plan, TablePlan
from db_sync.result import SyncResult
from db_sync.run import Run
from db_sync.write import sequences
from db_sync.write.replace import analyze
from db_sync.write.views import refresh_views
from db_sync.write.violations import Judge, Violation

STAYS = "What is done so far stays, so that the target is in between; start again to go on."
TABLES_NAMED = 3
MOST_ATTEMPTS = 5
RETRIED = frozenset(
    error.__name__ for error in (TargetBusy, DatabaseUnavailable, OutOfTime, VerificationFailed)
)

type Results = Mapping[int, Sequence[PieceResult]]  # by number: of each attempt that has one
type SaveReport = Callable[[SyncResult], None]


@dataclass(frozen=True, slots=True)
class NextRound:
    """The division as it is by now, and the numbers of the pieces that are still to be done."""

    division: Division
    numbers: tuple[int, ...]


def finish(
    run: Run, division: Division, results: Results, board: Board, save_report: SaveReport
) -> SyncResult | NextRound:
    """Finish a sync in parts, or return what is still to be done.

    Args:
        run: the run; both sessions are outside of a transaction.
        division: what was to be done.
        results: what has come of it.
        board: where the snapshot is found.
        save_report: called before the commit.

    Raises:
        VerificationFailed: the target does not become what the snapshot holds.
        SchemaMismatch: rows violate foreign keys of the target.
        StagingSyncError: what a part, or the finish itself, failed with.
    """
    begin_target(run)
    kept = begin_kept(run.source, board, [], has_policies=division.has_policies)
    progress = Progress.of(division, results, kept)
    plan = plan_as_divided(run, division)
    if progress.left:
        return _once_more(run, plan, progress, progress.left)
    if not division.checks:
        _analyze(run, plan, progress)  # the checks' statements are planned by it
    counts = _counts(run, plan, progress)
    if isinstance(counts, NextRound):
        run.source.rollback()
        run.target.commit()
        return counts
    if wrong := _wrong_parts(run, plan, progress, counts):
        return _once_more(run, plan, progress, wrong)
    judge = Judge(plan.catalogs.source, plan.tables, is_checked=False)
    warnings = judge.judge(_violations(plan, counts))
    return _complete(run, plan, progress, warnings, save_report)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a division is: the last attempt's result of each piece, and all results."""

    division: Division
    kept: Kept
    results: Results
    latest: Mapping[int, PieceResult]

    @classmethod
    def of(cls, division: Division, results: Results, kept: Kept) -> Self:
        """Find the results of the attempts that count."""
        latest = {
            piece.number: result
            for piece in division.pieces
            for result in results.get(piece.number, ())
            if result.attempt == piece.attempt
        }
        return cls(division, kept, results, latest)

    @property
    def left(self) -> list[Piece]:
        """The pieces that have failed, or were done for a snapshot that is lost."""
        return [piece for piece in self.division.pieces if not self._is_done(piece)]

    def _is_done(self, piece: Piece) -> bool:
        result = self.latest.get(piece.number)
        return result is not None and not result.error and result.epoch == self.kept.epoch

    def took_too_long(self, part: Part) -> bool:
        """Return whether a part failed since its time was up, or was killed without a word."""
        result = self.latest.get(part.number)
        return result is None or result.error == OutOfTime.__name__

    @property
    def done(self) -> list[PieceResult]:
        """All results of parts, of earlier attempts too, that wrote what they were to write."""
        parts = {part.number for part in self.division.parts}
        return [
            result
            for number, found in self.results.items()
            if number in parts
            for result in found
            if not result.error
        ]

    def changed(self, plan: Plan) -> list[TablePlan]:
        """Return the tables that parts wrote to."""
        names = {
            table.table for result in self.done for table in result.tables if table.action != "none"
        }
        return [table for table in plan.tables if str(table.name) in names]


def _once_more(run: Run, plan: Plan, progress: Progress, pieces: Sequence[Piece]) -> NextRound:
    """Return the next round for pieces that must be done again; those too long are divided again.

    Checks follow when all parts are done, since what they found may not hold then.

    Raises:
        StagingSyncError: one has failed for a reason that will not go away, or too often.
    """
    for piece in pieces:
        result = progress.latest.get(piece.number)
        error = result.error if result else None
        if (error and error not in RETRIED) or piece.attempt >= MOST_ATTEMPTS:
            raise _failure(piece, result, progress.kept)
    division = progress.division
    parts = [piece for piece in pieces if isinstance(piece, Part)]
    if not parts:
        _let_go(run)
        numbers = tuple(piece.number for piece in pieces)
        return NextRound(division.repeating(numbers), numbers)
    begun: list[Part] = []
    last_number = division.last_number
    for part in parts:
        again = replace(part, attempt=part.attempt + 1)
        if progress.took_too_long(part):
            narrower = divide_again(run, plan, again, last_number)
            last_number = max(last_number, *(each.number for each in narrower))
            begun += narrower
        else:
            begun.append(again)
    _let_go(run)
    division = division.exchanging({part.number for part in parts}, begun)
    return NextRound(division, tuple(part.number for part in begun))


def _failure(piece: Piece, result: PieceResult | None, kept: Kept) -> StagingSyncError:
    """Return the error that a piece has failed with."""
    tables = piece.tables if isinstance(piece, Part) else (piece.table,)
    named = ", ".join(map(str, tables[:TABLES_NAMED])) + (" …" if tables[TABLES_NAMED:] else "")
    where = f"In part {piece.number} ({named}), attempt {piece.attempt}:"
    if result is None:
        return OutOfTime(
            f"{where} it ended without a word, as a Lambda does that is killed: see DbSync's log."
            f" {STAYS}"
        )
    if result.error:
        kind: type[StagingSyncError] = getattr(errors, result.error, StagingSyncError)
        return kind(f"{where} {result.message} {STAYS}", result.reasons)
    if result.epoch != kept.epoch:
        return DatabaseUnavailable(
            f"{where} the snapshot of production was lost again and again, since both keepers died:"
            f" see their log. {STAYS}"
        )
    return VerificationFailed(
        f"{where} its rows were equal and are not any more. Stop what writes to staging meanwhile;"
        f" if nothing does, an index lacks rows: REINDEX the table there. {STAYS}"
    )


def _analyze(run: Run, plan: Plan, progress: Progress) -> None:
    """Update the statistics of the divided tables that were written: no part has done so."""
    divided = {part.tables[0] for part in progress.division.parts if part.bounds}
    written = [table for table in progress.changed(plan) if table.name in divided]
    for table in run.each("analyze", written):
        run.limit(f"the statistics of {table.name} were updated")
        analyze(run.target, table)


def _counts(run: Run, plan: Plan, progress: Progress) -> Mapping[Check, int] | NextRound:
    """Return what the checks found; those that take long are pieces of the next round."""
    division, tuning = progress.division, run.tuning
    if division.checks:
        return {check: progress.latest[check.number].rows for check in division.checks}
    sizes = measure(run.source, run.target, plan.tables)
    changed = {table.target.oid for table in progress.changed(plan)}
    blocks = Blocks(sizes, tuning.rates, tuning.part_seconds)
    checks = list_checks(plan, division, changed, blocks)
    if sum(check.seconds for check in checks) > tuning.part_seconds:
        with_checks = division.with_checks(checks)
        return NextRound(with_checks, tuple(check.number for check in with_checks.checks))
    counts: dict[Check, int] = {}
    for check in run.each("check", checks):
        run.limit(f"{check.table} was checked")
        counts[check] = count(run.source if is_of_source(check) else run.target, check)
    return counts


def _wrong_parts(
    run: Run, plan: Plan, progress: Progress, counts: Mapping[Check, int]
) -> list[Piece]:
    """Return the parts of the tables that are not what they should be by the checks.

    That is, to which somebody else has written meanwhile: rows, or the parents of rows.

    Raises:
        VerificationFailed: an index of the source lacks rows, so that no part can be trusted.
    """
    rows: dict[Name, int] = defaultdict(int)
    for part in progress.division.parts:
        for table in progress.latest[part.number].tables if part.bounds else ():
            rows[part.tables[0]] += table.rows
    found: dict[tuple[str, Name], int] = defaultdict(int)
    for check, number in counts.items():
        if isinstance(check, RowCount):
            found[check.side, check.table] += number
    for name, expected in rows.items():
        if found["source", name] != expected:
            raise _broken_index(run.source, name, expected, found["source", name])
    wrong = {name for name, expected in rows.items() if found["target", name] != expected}
    wrong |= _without_parents(plan, counts)
    logger.info("checked", tables=len(rows), wrong=sorted(map(str, wrong)))
    return [part for part in progress.division.parts if wrong & set(part.tables)]


def _without_parents(plan: Plan, counts: Mapping[Check, int]) -> set[Name]:
    """Return the tables of foreign keys that rows break though production's own keys hold."""
    judge = Judge(plan.catalogs.source, plan.tables, is_checked=False)
    names = {table.target.oid: table.name for table in plan.tables}
    return {
        names[root]
        for violation in _violations(plan, counts)
        if (twin := judge.find_equal_in_source(violation.key)) and twin.is_valid
        for root in (violation.key.child_root, violation.key.parent_root)
    }


def _violations(plan: Plan, counts: Mapping[Check, int]) -> list[Violation]:
    keys = {(key.child, key.name): key for key in plan.catalogs.target.foreign_keys}
    orphans: dict[tuple[Name, str], int] = defaultdict(int)
    for check, number in counts.items():
        if isinstance(check, KeyCheck):
            orphans[check.table, check.key] += number
    return [Violation(keys[place], number) for place, number in orphans.items() if number]


def _complete(
    run: Run, plan: Plan, progress: Progress, warnings: list[str], save_report: SaveReport
) -> SyncResult:
    """Set sequences, refresh statistics and materialized views, and commit."""
    source, target = run.source, run.target
    planned, unreadable = plan_sequences(plan)
    wanted = sequences.read_wanted(source, planned)
    unlike = warn_of_added_rows(run, plan.catalogs)
    source.commit()  # production need not hold back vacuum any longer
    changed = progress.changed(plan)
    harmless = run.options.rules.event_triggers_ok
    with silenced(target, are_harmless=harmless, dry_run=False):
        warnings += refresh_views(run, [table.target.oid for table in changed])
        moved = sequences.outdated(target, wanted)
        sequences.restart(target, moved)
    told = [warning for result in progress.done for warning in result.warnings]
    result = SyncResult(
        status="synced" if changed or moved else "unchanged",
        verified=True,
        tables=added_up(progress.done),
        left_alone={str(table): reason for table, reason in plan.left_alone.items()},
        masked=plan.masks_told,
        sequences=tuple(map(str, moved)),
        warnings=tuple(dict.fromkeys(plan.warnings + unlike + unreadable + told + warnings)),
        duration_seconds=round(time.time() - progress.division.started, 3),
        snapshot=progress.kept.taken_at,
        source_version=source.server_version,
        target_version=target.server_version,
        atomic=False,
    )
    save_report(result)
    sequences.set_exhausted(target, {name: at for name, at in moved.items() if at.is_exhausted})
    commit(target)
    return result


def _let_go(run: Run) -> None:
    run.source.rollback()
    run.target.rollback()


def _broken_index(source: Session, table: Name, found: int, rows: int) -> VerificationFailed:
    reindex = source.quoted(sql.SQL("REINDEX TABLE {};").format(table.identifier))
    return VerificationFailed(
        f"{table} has {rows} rows in the source {source.address} where the index of its key knows"
        f" of {found}, so that no copy can be trusted. {STAYS} Build its indexes again there, and"
        f" start again: {reindex}"
    )
