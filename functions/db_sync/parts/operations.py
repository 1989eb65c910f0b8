"""DbSync's operations for a sync in parts, which the state machine calls one after the other.

What they tell each other is in the execution's folder of the bucket, under `parts/`; only numbers
pass through the execution's state.
"""

import io
import json
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from common.aws.exchange import Exchange
from common.errors import InvalidInput, StagingSyncError
from common.postgres.connection.address import DatabaseAddress
from common.reports.sync import REPORT, SyncResult
from db_sync.parts.board import KEEPERS, BucketBoard, End, News
from db_sync.parts.deciding import sync_or_divide
from db_sync.parts.finishing import SaveReport, finish
from db_sync.parts.first_load import FirstLoad
from db_sync.parts.keeping import keep_snapshot
from db_sync.parts.part import Division
from db_sync.parts.pieces import do_piece
from db_sync.parts.progress import FINISH_RETRIED, NextRound, Results, reopened
from db_sync.parts.result import PieceResult
from db_sync.run import SyncOptions, sessions

DIVISION = "parts/parts.json"
ANSWER = "parts/answer.json"
READERS = 10  # requests at the same time: boto3 keeps so many connections
DIVIDED = "divided"


@dataclass(frozen=True, slots=True)
class PartsFolder:
    """The files of a sync in parts in the exchange bucket."""

    exchange: Exchange

    @property
    def board(self) -> BucketBoard:
        """Where the keepers' snapshots are."""
        return BucketBoard(self.exchange)

    def division(self) -> Division:
        """Return the division as it is by now."""
        return Division.parse(self.exchange.read(self.exchange.key(DIVISION)))

    def write_division(self, division: Division) -> None:
        """Write the division as it is by now."""
        self.exchange.write_json(DIVISION, division.as_json())

    def divided(
        self, division: Division, numbers: Sequence[int], number: int, concurrency: int
    ) -> dict[str, Any]:
        """Write what the next round has to do; return the operation's answer.

        Args:
            division: as it is by now.
            numbers: of the pieces to do.
            number: the round's.
            concurrency: how many pieces are done at the same time.
        """
        self.write_division(division)
        name = f"parts/round-{number}.jsonl"
        lines = "".join(json.dumps({"part": each}) + "\n" for each in numbers)
        self.exchange.upload(name, io.BytesIO(lines.encode()))
        return {
            "status": DIVIDED,
            "bucket": self.exchange.bucket,
            "list": self.exchange.key(name),
            "round": number,
            "parts": len(numbers),
            "concurrency": concurrency,
        }

    def write_answer(self, result: SyncResult) -> None:
        """Write what the sync's last operation answers."""
        answer = {**result.output(), "report": self.exchange.uri(REPORT)}
        self.exchange.write_json(ANSWER, answer)

    def answer(self) -> dict[str, Any]:
        """Return what the sync's last operation answers."""
        answer: dict[str, Any] = json.loads(self.exchange.read(self.exchange.key(ANSWER)))
        return answer

    def write_result(self, result: PieceResult) -> None:
        """Write what came of a piece, or why it failed."""
        self.exchange.write_json(_file(result.number, result.attempt), result.as_json())

    def results(self, division: Division) -> Results:
        """Return what came of each attempt of each piece, as far as it said anything."""
        wanted = [
            _file(piece.number, attempt)
            for piece in division.pieces
            for attempt in range(1, piece.attempt + 1)
        ]
        with ThreadPoolExecutor(READERS) as readers:
            contents = readers.map(self.exchange.read_if_there, wanted)
            found: dict[int, list[PieceResult]] = defaultdict(list)
            for content in contents:
                if content is not None:
                    result = PieceResult.parse(content)
                    found[result.number].append(result)
        return found


def _file(number: int, attempt: int) -> str:
    return f"parts/done-{number}-{attempt}.json"


@dataclass(frozen=True, slots=True)
class Operations:
    """The operations of one invocation.

    `concurrency`: how many pieces are done at the same time.
    """

    source: DatabaseAddress
    target: DatabaseAddress
    options: SyncOptions
    folder: PartsFolder
    concurrency: int

    def sync(self, save_report: SaveReport) -> SyncResult | dict[str, Any]:
        """Sync, or divide the sync into parts and answer with the first round."""
        first_load = self._first_load
        options = replace(self.options, is_first_load_unfinished=first_load.is_unfinished)
        save = self._noting_end(save_report)
        found = sync_or_divide(self.source, self.target, options, save, self.concurrency)
        if isinstance(found, SyncResult):
            return found
        if self.options.in_parts == "first_load":
            first_load.note(is_unfinished=True)
        numbers = [part.number for part in found.parts]
        return self.folder.divided(found, numbers, 1, self.concurrency)

    def keep_snapshot(self, keeper: object) -> dict[str, Any]:
        """Hold the snapshot for one turn of a keeper; see `parts.keeping`."""
        if keeper not in KEEPERS:
            raise InvalidInput(f'The event\'s "keeper" must be one of {", ".join(KEEPERS)}.')
        tables = list(self.folder.division().tables)
        board = self.folder.board
        return {
            "done": keep_snapshot(
                self.source, self.target, self.options, str(keeper), board, tables
            )
        }

    def sync_part(self, item: object) -> dict[str, Any]:
        """Do a piece, and write what came of it, or why it failed.

        Args:
            item: {"part": its number}.
        """
        number = item.get("part") if isinstance(item, dict) else None
        if not isinstance(number, int):
            raise InvalidInput('The event\'s "part" must be {"part": its number}.')
        division = self.folder.division()
        piece = division.piece(number)
        try:
            result = do_piece(
                self.source, self.target, self.options, division, piece, self.folder.board
            )
        except StagingSyncError as error:
            with suppress(StagingSyncError):  # the piece's error is the one that counts
                self.folder.write_result(PieceResult.of_error(piece, 0, error))
            raise
        self.folder.write_result(result)
        return {}

    def finish_sync(self, divided: object, save_report: SaveReport) -> SyncResult | dict[str, Any]:
        """Finish the sync, or answer with the next round; tell the keepers when all is done.

        Args:
            divided: the last round's answer.
            save_report: called with the result before the commit.
        """
        last = divided.get("round") if isinstance(divided, dict) else None
        if not isinstance(last, int):
            raise InvalidInput('The event\'s "divided" must be the answer of the last round.')
        word = self.folder.board.end()
        if word and not word.failed:  # a Lambda has done all of it, and its answer was lost
            return self.folder.answer()
        division = self.folder.division()
        results = self.folder.results(division)
        try:
            with sessions(self.source, self.target, self.options) as run:
                save = self._noting_end(save_report)
                found = finish(run, division, results, self.folder.board, save)
        except FINISH_RETRIED:
            raise
        except StagingSyncError:
            self.folder.write_division(reopened(division, results))
            self._tell_keepers(failed=True)
            raise
        if isinstance(found, NextRound):
            return self.folder.divided(found.division, found.numbers, last + 1, self.concurrency)
        self.folder.write_answer(found)
        self._tell_keepers(failed=False)
        return found

    @property
    def _first_load(self) -> FirstLoad:
        return FirstLoad(self.folder.exchange.bucket, self.target)

    def _noting_end(self, save_report: SaveReport) -> SaveReport:
        """Return what also notes that staging is not in between any more, before the commit.

        Otherwise the next sync might put it in between again, which has rows to protect by then.
        The note is not read first: that needs another right than a nightly sync does.
        """

        def save(result: SyncResult) -> None:
            save_report(result)
            if self.options.in_parts == "first_load" and not self.options.dry_run:
                self._first_load.note(is_unfinished=False)

        return save

    def _tell_keepers(self, *, failed: bool) -> None:
        board = self.folder.board
        board.write_end(End(News.of(board).last_epoch, failed))
