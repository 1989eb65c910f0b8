"""Two keepers take turns to hold one moment of production for longer than a Lambda lives.

Each holds a transaction on the source with the snapshot and locks on the tables, and a share of the
target's lock. It takes the snapshot over from the other one. If neither has it any more, one of
them begins the next epoch: it takes a new one.
"""

import time
from dataclasses import dataclass

from common.errors import DatabaseUnavailable
from common.log import logger
from common.postgres.connection.address import DatabaseAddress
from common.postgres.database import Session, connect
from common.postgres.deadline import MARGIN
from common.postgres.locking.advisory import BEGINNING, try_lock
from common.postgres.names import Name
from common.postgres.target import share_target
from common.postgres.waits import Retry
from db_sync.parts.board import Board, End, Kept, News
from db_sync.parts.shared_snapshot import (
    NOT_HERE,
    begin_at_any,
    export,
    is_alive,
    lock_first,
    mark_alive,
    pause_in_transaction,
)
from db_sync.run import SyncOptions

# Seconds before the deadline at which a turn ends, so that the other keeper has time to come.
RELIEF = 60.0
# Seconds before its Lambda is killed at which a keeper that nobody relieves gives up.
LAST = 5.0
# After FinishSync's word that the sync has failed: seconds until a keeper fails too. By then the
# Parallel has failed and aborted its branch; a branch that has failed itself is started again by a
# redrive, and not one that has succeeded.
PAUSE_AFTER_FAILURE = 10.0
# Seconds for which that word is taken for this run's and not for that of a run before a redrive.
RECENT = 60.0
UNLIMITED_TURN = 840.0  # seconds, without a deadline
# How long the other keeper is waited for, if it holds a snapshot or takes one.
PATIENCE = Retry(30.0, pause=0.5)


def keep_snapshot(  # noqa: PLR0913, PLR0917 - what the operation is given
    source_address: DatabaseAddress,
    target_address: DatabaseAddress,
    options: SyncOptions,
    keeper: str,
    board: Board,
    tables: list[Name],
) -> bool:
    """Hold the snapshot for one turn.

    Args:
        source_address: production.
        target_address: staging, whose lock is shared meanwhile.
        options: the execution's name, the deadline, and how long a turn is.
        keeper: "a" or "b".
        board: what the others wrote, and where this one writes.
        tables: of the source, all that any part reads.

    Returns:
        True if FinishSync said that all is done; False if the turn is over, and the keeper must be
        called again.

    Raises:
        DatabaseUnavailable: a connection was lost, a lock on the source was not granted, or
            FinishSync said that the sync has failed. To be called again in each case.
        SyncInProgress: another run holds the target's lock.
        SchemaMismatch: one of the tables does not exist any more.
        OutOfTime: there was no time for a turn.
    """
    word = _word_to_this_run(board.end())
    if word is None:
        job = _Job(options, keeper, board, tables)
        word = _take_turn(source_address, target_address, job)
    if word is None:
        return False
    if not word.failed:
        return True
    time.sleep(PAUSE_AFTER_FAILURE)
    raise DatabaseUnavailable(
        "The sync in parts has failed, as FinishSync says, and its snapshot of production was let"
        " go. Start the execution again (redrive): a minute later a new snapshot is taken."
    )


@dataclass(frozen=True, slots=True)
class _Job:
    """The arguments of `keep_snapshot`."""

    options: SyncOptions
    keeper: str
    board: Board
    tables: list[Name]


def _take_turn(
    source_address: DatabaseAddress, target_address: DatabaseAddress, job: _Job
) -> End | None:
    """Hold the snapshot until the turn is over, or FinishSync says a word, which is returned.

    Both connections are closed then.
    """
    options = job.options
    execution, waits = options.execution, options.waits
    with connect(target_address, "target", execution=execution, waits=waits) as target:
        target.begin()
        share_target(target, execution)
        with connect(
            source_address, "source", execution=execution, read_only=True, waits=waits
        ) as source:
            options.deadline.limit("a snapshot of production was taken", source, target)
            turn = _Turn(source, target, job)
            begun = turn.begin()
            return begun if isinstance(begun, End) else turn.hold(begun)


def _word_to_this_run(word: End | None) -> End | None:
    """Return FinishSync's word, unless it is that of a run which had failed before a redrive."""
    if word and word.failed and time.time() - word.at > RECENT:
        return None
    return word


@dataclass(frozen=True, slots=True)
class _Turn:
    """One turn of a keeper; the target's session has its share of the lock."""

    source: Session
    target: Session
    job: _Job

    def begin(self) -> Kept | End:
        """Take the snapshot over, or take a new one if nobody has it; write it to the board.

        Nobody has it either if FinishSync has said meanwhile that it is not needed any more: its
        word is returned then.

        Raises:
            DatabaseUnavailable, SchemaMismatch, OutOfTime: see `keep_snapshot`.
        """
        source, tables = self.source, self.job.tables
        timeout = PATIENCE.start()
        while True:
            news = News.of(self.job.board)
            if word := _word_to_this_run(news.end):
                return word
            if other := begin_at_any(source, news.current, tables, has_policies=False):
                return self._take_over(other)
            if not any(is_alive(self.target, kept) for kept in news.current):
                if kept := self._begin_epoch(news):
                    return kept
                source.rollback()
            elif timeout.is_over:
                raise DatabaseUnavailable(f"The other keeper holds the snapshot, but {NOT_HERE}")
            pause_in_transaction(source, timeout)

    def hold(self, kept: Kept) -> End | None:
        """Stay until FinishSync's word, which is returned, or the end of the turn.

        Raises:
            DatabaseUnavailable: a connection was lost.
        """
        while True:
            self.source.row("SELECT 1")
            self.target.row("SELECT 1")
            news = News.of(self.job.board)
            if news.end and (news.end.epoch >= kept.epoch or not news.end.failed):
                return news.end
            if self._is_over(kept, news):
                logger.info("a keeper's turn is over", keeper=self.job.keeper, epoch=kept.epoch)
                return None
            time.sleep(self.job.options.tuning.keeper_poll)

    def _take_over(self, other: Kept) -> Kept:
        """Hold the snapshot of the other keeper, which is imported already."""
        until = time.time() + _length(_full_turn(self.job.options), other.kept_until - time.time())
        kept = Kept(export(self.source), other.epoch, other.taken_at, until)
        self._mark_alive(kept)
        self.job.board.keep(self.job.keeper, kept)
        logger.info(
            "a keeper has taken the snapshot over", keeper=self.job.keeper, epoch=kept.epoch
        )
        return kept

    def _begin_epoch(self, news: News) -> Kept | None:
        """Take a new snapshot, unless the other keeper does so too or has written one since.

        Only one at a time looks at the board and writes to it: the one that has a lock on the
        source. It has the lock in the very transaction that holds the snapshot: if that is lost,
        nobody can import what it writes.
        """
        lock_first(self.source, self.job.tables, has_policies=False)
        snapshot = export(self.source)
        (taken_at,) = self.source.row("SELECT to_json(clock_timestamp()) #>> '{}'")
        until = time.time() + _full_turn(self.job.options)
        kept = Kept(snapshot, news.last_epoch + 1, taken_at, until)
        self._mark_alive(kept)
        with self.source.savepoint(force_rollback=True):
            if not try_lock(self.source, BEGINNING, self.source.application_name):
                return None
            if News.of(self.job.board) != news:
                return None
            self.job.board.keep(self.job.keeper, kept)
        logger.info("a keeper has taken a snapshot", keeper=self.job.keeper, epoch=kept.epoch)
        return kept

    def _mark_alive(self, kept: Kept) -> None:
        """Show that this keeper is there: on the source, where its snapshot is, and on the target.

        Whoever finds it on the target only has connected to another server of the source.
        """
        mark_alive(self.source, kept)
        mark_alive(self.target, kept)

    def _is_over(self, kept: Kept, news: News) -> bool:
        """Return whether the turn is over.

        It is if the snapshot is not the newest, or if the time is up and the other keeper has taken
        the snapshot over, or will not come any more.
        """
        if news.last_epoch > kept.epoch:
            return True
        deadline = self.job.options.deadline.at
        if deadline is not None and time.monotonic() >= deadline + MARGIN - LAST:
            logger.warning("nobody relieves a keeper", keeper=self.job.keeper, epoch=kept.epoch)
            return True
        return time.time() >= kept.kept_until and any(
            other.kept_until > kept.kept_until and is_alive(self.source, other)
            for other in news.current
        )


def _full_turn(options: SyncOptions) -> float:
    """Return how long a turn is if it begins now, in seconds."""
    left = UNLIMITED_TURN
    if options.deadline.at is not None:
        left = options.deadline.at - time.monotonic()
        left = max(left - RELIEF, left / 2)
    wanted = options.tuning.keeper_turn
    return left if wanted is None else min(wanted, left)


def _length(full: float, others_left: float) -> float:
    """Return how long a turn is to be, in seconds, so that both do not end at the same time.

    The other one has as much time left as its turn still has. If nearly all of it, both have begun
    at the same time: this one then ends half a turn before the other.

    Args:
        full: the length of a turn.
        others_left: the time until the other keeper's turn ends; may be negative.
    """
    return others_left - full / 2 if others_left > 0.75 * full else full
