"""How far a sync in parts is: what came of its pieces, and what must be done once more."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

from common import errors
from common.errors import (
    DatabaseUnavailable,
    OutOfTime,
    StagingSyncError,
    TargetBusy,
    VerificationFailed,
)
from db_sync.parts.board import Kept
from db_sync.parts.dividing import divide_again
from db_sync.parts.part import Division, Part, Piece
from db_sync.parts.result import PieceResult
from db_sync.plan.tables import Plan, TablePlan
from db_sync.run import Run

STAYS = "What is done so far stays, so that the target is in between; start again to go on."
QUIET = "Stop what writes to staging meanwhile."
TABLES_NAMED = 3
RETRIED = frozenset(
    error.__name__ for error in (TargetBusy, DatabaseUnavailable, OutOfTime, VerificationFailed)
)

# Of FinishSync itself: the state machine tries it again, and it needs the snapshot then.
FINISH_RETRIED = (TargetBusy, DatabaseUnavailable)

type Results = Mapping[int, Sequence[PieceResult]]  # by number: of each attempt that has one


@dataclass(frozen=True, slots=True)
class NextRound:
    """The division as it is by now, and the numbers of the pieces that are still to be done."""

    division: Division
    numbers: tuple[int, ...]


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


def once_more(run: Run, plan: Plan, progress: Progress, pieces: Sequence[Piece]) -> NextRound:
    """Return the next round for pieces that must be done again; those too long are divided again.

    The source's transaction is open. Checks follow when all parts are done, since what they found
    may not hold then.

    Raises:
        StagingSyncError: one has failed for a reason that will not go away, or too often.
    """
    for piece in pieces:
        result = progress.latest.get(piece.number)
        error = result.error if result else None
        if (error and error not in RETRIED) or piece.attempt >= progress.division.most_attempts:
            raise _failure(piece, result, progress.kept)
    division = progress.division
    parts = [piece for piece in pieces if isinstance(piece, Part)]
    if not parts:
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
    division = division.exchanging({part.number for part in parts}, begun)
    return NextRound(division, tuple(part.number for part in begun))


def reopened(division: Division, results: Results) -> Division:
    """Return a division that has failed for a redrive, which begins what has failed once more.

    What it failed of is mended by then: otherwise the redrive fails in the same way.
    """
    failed = {
        piece.number
        for piece in division.pieces
        for result in results.get(piece.number, ())
        if result.attempt == piece.attempt and result.error
    }
    return division.repeating(failed).reopened()


def _failure(piece: Piece, result: PieceResult | None, kept: Kept) -> StagingSyncError:
    """Return the error that a piece has failed with.

    It is none that the state machine tries FinishSync again after: that would only find the same,
    and the keepers would not be told.
    """
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
        if kind in FINISH_RETRIED:
            where, kind = f"{where} {result.error}:", StagingSyncError
        is_shared = isinstance(piece, Part) and piece.bounds and kind is VerificationFailed
        quiet = f" {QUIET}" if is_shared else ""
        return kind(f"{where} {result.message}{quiet} {STAYS}", result.reasons)
    if result.epoch != kept.epoch:
        return StagingSyncError(
            f"{where} the snapshot of production was lost again and again, since both keepers died:"
            f" see their log. {STAYS}"
        )
    return VerificationFailed(
        f"{where} its rows were equal and are not any more. {QUIET} If nothing"
        f" does, an index lacks rows: REINDEX the table there. {STAYS}"
    )
