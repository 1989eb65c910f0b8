"""A sync in parts by several processes of one machine: the command's option `--jobs`.

This process holds the snapshot and the target's lock; the others make parts equal.
"""

import math
import multiprocessing
import os
import secrets
import signal
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, replace

from common.errors import StagingSyncError
from common.log import logger
from common.postgres.connection.address import DatabaseAddress
from common.postgres.waits import log_wait
from db_sync.parts.board import Board, End, Kept
from db_sync.parts.dividing import Limits, divide
from db_sync.parts.finishing import RETRIED, SaveReport, finish
from db_sync.parts.opening import begin_target
from db_sync.parts.part import Division, Piece
from db_sync.parts.pieces import do_piece, sessions
from db_sync.parts.result import PieceResult
from db_sync.parts.shared_snapshot import export, mark_alive
from db_sync.parts.sizes import measure
from db_sync.plan.snapshot import open_snapshots
from db_sync.result import SyncResult
from db_sync.run import SyncOptions, no_progress

PARTS_PER_JOB = 4  # so that all end at about the same time
SHORTEST = 1.0  # seconds: what a part takes besides would be too much of a shorter one


@dataclass(frozen=True, slots=True)
class OneSnapshot:
    """A board with the snapshot that this command holds, and nothing else."""

    snapshot: Kept

    def kept(self) -> list[Kept]:
        """See `Board`."""
        return [self.snapshot]

    def keep(self, keeper: str, kept: Kept) -> None:
        """See `Board`; nobody else keeps it."""
        raise NotImplementedError

    def end(self) -> End | None:
        """See `Board`."""
        return None

    def write_end(self, end: End) -> None:
        """See `Board`; nobody waits for it."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Worker:
    """What a process needs to do pieces; it is sent to each."""

    source: DatabaseAddress
    target: DatabaseAddress
    options: SyncOptions
    board: Board

    def do(self, division: Division, piece: Piece) -> PieceResult:
        """Do a piece; an error is a result too."""
        try:
            return do_piece(self.source, self.target, self.options, division, piece, self.board)
        except StagingSyncError as error:
            return PieceResult.of_error(piece, 0, error)


def sync_in_parts(
    source_address: DatabaseAddress,
    target_address: DatabaseAddress,
    options: SyncOptions,
    jobs: int,
    save_report: SaveReport = lambda _: None,
) -> SyncResult:
    """Make the target's rows equal to the source's, by several processes, part by part.

    Args:
        source_address: production; only read.
        target_address: staging; each part is changed in a transaction of its own.
        options: rules and the like; no dry run.
        jobs: how many processes.
        save_report: called with the result before the last commit.

    Raises:
        StagingSyncError: one of `common.errors`; the target is in between if parts were written.
    """
    started = time.time()
    # No other run of the same user may be taken for this one.
    options = replace(options, execution=f"{options.execution} {secrets.token_hex(3)}")
    with (
        sessions(source_address, target_address, options) as keeping,
        sessions(source_address, target_address, options) as run,
    ):
        begin_target(keeping)
        plan_run = replace(keeping, target=run.target)
        snapshots = open_snapshots(plan_run)
        plan, rates = snapshots.plan, options.tuning.rates
        sizes = measure(keeping.source, run.target, plan.tables)
        total = sum(size.seconds(rates) for size in sizes.values())
        even = max(SHORTEST, total / jobs / PARTS_PER_JOB) if jobs > 1 else math.inf
        wanted = min(options.tuning.part_seconds, even)
        division = divide(plan_run, plan, rates, Limits(wanted), started)
        run.target.rollback()
        kept = Kept(export(keeping.source), 1, snapshots.taken_at, started)
        mark_alive(keeping.source, kept)
        board = OneSnapshot(kept)
        waits = replace(options.waits, report=log_wait)
        shared = replace(options, progress=no_progress, waits=waits)
        worker = Worker(source_address, target_address, shared, board)
        results: dict[int, list[PieceResult]] = defaultdict(list)
        numbers: Sequence[int] = [part.number for part in division.parts]
        with processes(jobs) as executor:
            while True:
                for result in _do_all(executor, worker, division, numbers, options):
                    results[result.number].append(result)
                found = finish(run, division, results, board, save_report)
                if isinstance(found, SyncResult):
                    return found
                division, numbers = found.division, found.numbers


def _do_all(
    executor: Executor,
    worker: Worker,
    division: Division,
    numbers: Sequence[int],
    options: SyncOptions,
) -> Iterator[PieceResult]:
    """Do pieces and yield their results; no more are begun after an error that will not go away."""
    pieces = [division.piece(number) for number in numbers]
    begun = [executor.submit(worker.do, division, piece) for piece in pieces]
    options.progress("parts", 0, len(begun))
    for done, future in enumerate(as_completed(begun), start=1):
        if future.cancelled():
            continue
        result = future.result()
        if result.error and result.error not in RETRIED:
            for other in begun:
                other.cancel()
        options.progress("parts", done, len(begun))
        yield result


@contextmanager
def processes(jobs: int) -> Iterator[Executor]:
    """Start processes for a with statement; if it fails, what they have not begun is left out."""
    with ProcessPoolExecutor(
        jobs, multiprocessing.get_context("spawn"), initializer=_start_process
    ) as executor:
        try:
            yield executor
        except BaseException:
            executor.shutdown(wait=False, cancel_futures=True)
            raise


def stop_processes() -> None:
    """End the processes that are at work; the servers roll back what these have not committed."""
    for process in multiprocessing.active_children():
        process.terminate()


def _start_process() -> None:
    """Log nothing, as the command does, whose result says everything; end with the command."""
    logger.setLevel("CRITICAL")
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """End this process as soon as its parent has ended: nobody would stop it any more."""
    parent = multiprocessing.parent_process()
    if parent:
        parent.join()
    os._exit(1)
