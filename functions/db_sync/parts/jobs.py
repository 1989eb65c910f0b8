"""A sync in parts by several processes of one machine: the command's option `--jobs`.

This process holds the snapshot and the target's lock; the others make parts equal.
"""

import multiprocessing
import os
import secrets
import signal
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, replace

from common.errors import StagingSyncError
from common.log import logger
from common.postgres.connection.address import DatabaseAddress
from common.postgres.waits import log_wait
from common.reports.sync import SyncResult
from db_sync.parts.board import End, Kept, Snapshots
from db_sync.parts.dividing import Limits, divide
from db_sync.parts.finishing import SaveReport, finish
from db_sync.parts.opening import begin_target
from db_sync.parts.part import Division, Piece
from db_sync.parts.pieces import do_piece
from db_sync.parts.progress import RETRIED, STAYS
from db_sync.parts.result import PieceResult
from db_sync.parts.shared_snapshot import export, mark_alive
from db_sync.parts.sizes import measure
from db_sync.plan.snapshot import open_snapshots
from db_sync.run import Progress, Run, SyncOptions, no_progress, sessions

PARTS_PER_JOB = 4  # so that all end at about the same time
SHORTEST = 1.0  # seconds: what a part takes besides would be too much of a shorter one
UNEVEN = 1.2  # of a process's share: a table that takes longer is divided


@dataclass(frozen=True, slots=True)
class OneSnapshot:
    """The snapshot that this command holds; see `Snapshots`."""

    snapshot: Kept

    def kept(self) -> list[Kept]:
        """Return it."""
        return [self.snapshot]

    def end(self) -> End | None:
        """Return nothing: it lives as long as the command."""
        return None


@dataclass(frozen=True, slots=True)
class Worker:
    """What a process needs to do pieces; it is sent to each."""

    source: DatabaseAddress
    target: DatabaseAddress
    options: SyncOptions
    board: Snapshots

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
        division, taken_at = _divide(replace(keeping, target=run.target), jobs, started)
        kept = Kept(export(keeping.source), 1, taken_at, started)
        mark_alive(keeping.source, kept)
        waits = replace(options.waits, report=log_wait)  # which can be sent to a process
        shared = replace(options, progress=no_progress, waits=waits)
        worker = Worker(source_address, target_address, shared, OneSnapshot(kept))
        with processes(jobs) as executor:
            return _do_rounds(run, executor, worker, division, save_report)


def _divide(run: Run, jobs: int, started: float) -> tuple[Division, str]:
    """Divide the sync so that all processes end at about the same time.

    The source's transaction has the snapshot from here on.

    Returns:
        The division, and the moment of the snapshot.
    """
    snapshots = open_snapshots(run)
    tuning, plan = run.tuning, snapshots.plan
    sizes = measure(run.source, run.target, plan.tables)
    total = sum(size.seconds(tuning.rates) for size in sizes.values())
    share = total / jobs
    part = min(tuning.part_seconds, max(SHORTEST, share / PARTS_PER_JOB))
    limits = Limits(part, tuning.whole_seconds or max(SHORTEST, UNEVEN * share))
    division = divide(run, plan, tuning.rates, limits, started)
    run.target.rollback()
    return division, snapshots.taken_at


def _do_rounds(
    run: Run, executor: Executor, worker: Worker, division: Division, save_report: SaveReport
) -> SyncResult:
    """Do rounds of pieces until nothing is left to do."""
    results: dict[int, list[PieceResult]] = defaultdict(list)
    numbers: Sequence[int] = [part.number for part in division.parts]
    while True:
        for result in _do_all(executor, worker, division, numbers, run.options.progress):
            results[result.number].append(result)
        found = finish(run, division, results, worker.board, save_report)
        if isinstance(found, SyncResult):
            return found
        division, numbers = found.division, found.numbers


def _do_all(
    executor: Executor,
    worker: Worker,
    division: Division,
    numbers: Sequence[int],
    progress: Progress,
) -> Iterator[PieceResult]:
    """Do pieces and yield their results; no more are begun after an error that will not go away.

    Raises:
        StagingSyncError: a process was killed.
    """
    pieces = [division.piece(number) for number in numbers]
    begun = [executor.submit(worker.do, division, piece) for piece in pieces]
    progress("parts", 0, len(begun))
    for done, future in enumerate(as_completed(begun), start=1):
        if future.cancelled():
            continue
        try:
            result = future.result()
        except BrokenProcessPool as error:
            raise StagingSyncError(
                "One of the processes of --jobs was killed, as it is where memory is short."
                f" {STAYS}"
            ) from error
        if result.error and result.error not in RETRIED:
            for other in begun:
                other.cancel()
        progress("parts", done, len(begun))
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
