"""One moment of production in many sessions: exported by one, imported by the others.

A snapshot can be imported as long as the transaction lives that exported it. A session that has
imported it keeps it, and can export it anew under another id. So a moment lives on from session to
session, on a standby too.
https://www.postgresql.org/docs/current/functions-admin.html#FUNCTIONS-SNAPSHOT-SYNCHRONIZATION
"""

from collections.abc import Iterable

from psycopg2 import sql

from common.errors import DatabaseUnavailable, SchemaMismatch
from common.postgres.database import Session
from common.postgres.locking.advisory import KEPT, try_lock, try_lock_shared
from common.postgres.names import Name
from common.postgres.waits import Retry, Timeout
from db_sync.parts.board import Kept, News, Snapshots
from db_sync.plan.table_locks import begin_with_locks

# For a keeper that is started again, and waits for locks, or that waits after a failure.
WAIT = Retry(240.0, pause=2.0)

NOT_HERE = (
    "it is not on the server of the source to which this connection leads. If the address leads to"
    " several servers, as that of an Aurora cluster's readers does, name one of them in the secret:"
    " a snapshot exists on one server only."
)


class SnapshotLost(DatabaseUnavailable):
    """A snapshot does not exist any more: the transaction that exported it has ended."""


def begin_at(source: Session, kept: Kept, tables: list[Name], *, has_policies: bool) -> None:
    """Begin the source's transaction at a snapshot that a keeper holds, with the tables locked.

    The locks (ACCESS SHARE) come first, and then the snapshot. A table that was truncated after the
    snapshot reads as empty, and nobody can truncate one that is locked. The keeper has held the
    same locks since before the snapshot was taken, or got them while another keeper did. So if the
    keeper's transaction is still alive when we have ours, there was a lock all the time.

    Args:
        source: a session without a transaction.
        kept: what the keeper wrote.
        tables: what is to be read; the keeper has locked them.
        has_policies: whether some are read through policies that show us every row.

    Raises:
        SnapshotLost: the keeper's transaction has ended.
        DatabaseUnavailable: a lock was not granted in time; names the sessions that hold one.
        SchemaMismatch: one of the tables does not exist any more.
        OutOfTime: the run's time was up before that.
    """
    lock_first(source, tables, has_policies=has_policies)
    try:
        # Of an id that is not known the server says 22023 (up to 16) or 42704, and 55000 if the
        # transaction ends at this moment; all are the same class of ours.
        source.execute(sql.SQL("SET TRANSACTION SNAPSHOT {}").format(sql.Literal(kept.snapshot)))
    except SchemaMismatch as error:
        source.rollback()
        raise _lost(source, kept) from error
    # After a restart of the server, others' snapshots may have the same id.
    if not is_alive(source, kept):
        source.rollback()
        raise _lost(source, kept)


def begin_kept(
    source: Session, board: Snapshots, tables: list[Name], *, has_policies: bool, wait: Retry = WAIT
) -> Kept:
    """Begin the source's transaction at the newest snapshot that is alive; wait for one if needed.

    Args:
        source: a session without a transaction.
        board: where the keepers' snapshots are.
        tables: what is to be read; the keepers have locked them.
        has_policies: whether some are read through policies that show us every row.
        wait: how long for a snapshot.

    Returns:
        The snapshot.

    Raises:
        DatabaseUnavailable: none came in time, or a lock was not granted.
        SchemaMismatch, OutOfTime: see `begin_at`.
    """
    timeout = wait.start(source.seconds_left)
    while True:
        news = News.of(board)
        if kept := begin_at_any(source, news.current, tables, has_policies=has_policies):
            return kept
        if timeout.is_over:
            raise _none(news)
        pause_in_transaction(source, timeout)


def begin_at_any(
    source: Session, snapshots: Iterable[Kept], tables: list[Name], *, has_policies: bool
) -> Kept | None:
    """Begin the source's transaction at the first snapshot that is alive; None if none is."""
    for kept in snapshots:
        try:
            begin_at(source, kept, tables, has_policies=has_policies)
        except SnapshotLost:
            continue
        return kept
    return None


def lock_first(source: Session, tables: list[Name], *, has_policies: bool) -> None:
    """Begin a transaction that has locks on tables, and no snapshot yet.

    Raises:
        DatabaseUnavailable, SchemaMismatch, OutOfTime: see `begin_at`.
    """
    if not begin_with_locks(source, tables, has_policies=has_policies):
        raise SchemaMismatch(
            f"A table of the source {source.address} that is to be copied was dropped or renamed"
            " since the sync was divided into parts. Start a new execution."
        )


def pause_in_transaction(source: Session, timeout: Timeout) -> None:
    """Wait in a transaction: in between, the role's limit for idle sessions would apply."""
    with source.transaction():
        timeout.pause()


def export(source: Session) -> str:
    """Return an id of the transaction's snapshot, valid as long as the transaction lives."""
    (snapshot,) = source.row("SELECT pg_export_snapshot()")
    return str(snapshot)


def mark_alive(session: Session, kept: Kept) -> None:
    """Show on a server that the holder of a snapshot is there, until the transaction ends."""
    try_lock(session, KEPT, _name(session, kept))


def is_alive(session: Session, kept: Kept) -> bool:
    """Return whether another transaction on this server shows that it holds a snapshot."""
    with session.savepoint(force_rollback=True):
        return not try_lock_shared(session, KEPT, _name(session, kept))


def _name(session: Session, kept: Kept) -> str:
    return f"{session.application_name}/{kept.epoch}/{kept.snapshot}"


def _lost(source: Session, kept: Kept) -> SnapshotLost:
    return SnapshotLost(
        f"The snapshot {kept.snapshot} (epoch {kept.epoch}) is lost: {NOT_HERE} It was looked for"
        f" in {source.address}."
    )


def _none(news: News) -> DatabaseUnavailable:
    what = f"lost (epoch {news.last_epoch}): {NOT_HERE}" if news.current else "held by no keeper."
    return DatabaseUnavailable(
        f"The snapshot of production that all parts copy is {what} The log of KeepSnapshotA and"
        " KeepSnapshotB says why. Start the execution again (redrive)."
    )
