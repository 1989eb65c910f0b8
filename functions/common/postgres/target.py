"""The safety rules: which database may be written, and by one run at a time."""

import secrets
from collections.abc import Callable

from psycopg2 import sql

from common.errors import DatabaseUnavailable, SyncInProgress, TargetNotAllowed
from common.log import logger
from common.postgres.database import Session
from common.postgres.locking.advisory import RUNS, is_other_key_held, try_lock_shared
from common.postgres.locking.holders import find_advisory_holder
from common.reports.notices import Notice, Topic

MARKER = "staging-sync target"
KEEP_COMMENT = (
    " That replaces the comment that the database has. To keep it, add the words to it on a line"
    " of their own."
)
# Advisory locks are per database, so a constant serves for every target: "stgsync" in ASCII.
LOCK_KEY = 0x73746773796E63
# Of the transaction that writes: "stgsyncw". The lock above is another session's, which may end
# before the server notices that the writing one is gone.
WRITING_KEY = 0x73746773796E6377


def is_marked(session: Session) -> bool:
    """Return whether the session's database is marked as a sync target.

    The marker must be its comment, or a line of it: a sentence that contains it may say the
    opposite.
    """
    return MARKER in map(str.strip, _comment(session).splitlines())


def require_marked(target: Session) -> None:
    """Refuse a target that is not marked as one.

    Raises:
        TargetNotAllowed: with the exact statement that would mark it.
    """
    if is_marked(target):
        return
    statement = _marking(target)
    raise TargetNotAllowed(
        f"The target database {target.address} is not marked as a sync target, so nothing was"
        f" written. If it really is staging, run this there as its owner: {statement}"
        + (KEEP_COMMENT if _comment(target) else "")
    )


def not_marked(target: Session, what: str) -> Notice:
    """Return the notice of a dry run of `what` whose target is not marked."""
    return Notice(
        f"The target is not marked as a sync target: a {what} that writes will refuse it.",
        Topic.REFUSED,
        _marking(target),
    )


def _marking(target: Session) -> str:
    """Return the statement that marks a target."""
    (name,) = target.row("SELECT current_database()")
    return target.quoted(
        sql.SQL("COMMENT ON DATABASE {} IS {};").format(sql.Identifier(name), sql.Literal(MARKER))
    )


def _comment(session: Session) -> str:
    """Return the comment on the session's database, "" if there is none."""
    (comment,) = session.row(
        "SELECT shobj_description(oid, 'pg_database') FROM pg_database"
        " WHERE datname = current_database()"
    )
    return comment or ""


def require_source_apart(source: Session, target: Session) -> None:
    """Refuse a source that is the target, or that is marked as a target itself.

    Both sessions must be in a transaction. The check does not depend on how the databases are
    addressed: an advisory lock that is held on one can be taken on the other, unless they are the
    same database. A replica of the target has the target's marker.

    Raises:
        TargetNotAllowed: they are one database, or the source has the marker.
    """
    if is_marked(source):
        raise TargetNotAllowed(
            f"The source database {source.address} is marked as a sync target itself: it is the"
            " target, its replica, or another staging. Check the secrets."
        )
    key = secrets.randbits(63)
    target.row("SELECT pg_advisory_xact_lock(%s)::text", [key])
    (free,) = source.row("SELECT pg_try_advisory_xact_lock(%s)", [key])
    if not free:
        raise TargetNotAllowed(
            f"Source {source.address} and target {target.address} are one and the same database."
            " Check the secrets."
        )


def lock_target(target: Session) -> None:
    """Take the target's lock until the transaction ends; only one sync or remap can hold it.

    Args:
        target: a session in a transaction.

    Raises:
        SyncInProgress: another run still holds it after `Waits.run_lock`; names that run.
    """
    _wait_for(target, lambda: _try_lock(target))


def share_target(target: Session, execution: str) -> None:
    """Take the target's lock together with others of one execution, until the transaction ends.

    The keepers and parts of an execution hold it at the same time, and nobody else: no part of
    another execution, no sync and no remap. Another run can take it in between two of them, so one
    of them must hold it all the while.

    Args:
        target: a session in a transaction.
        execution: the name of the execution.

    Raises:
        SyncInProgress: another run still holds it after `Waits.run_lock`; names that run.
    """
    _wait_for(target, lambda: _try_share(target, execution))


def _wait_for(target: Session, try_once: Callable[[], bool]) -> None:
    """Try to take the target's lock until it is taken, or `Waits.run_lock` is over."""
    timeout = target.waits.run_lock.start()
    while not try_once():
        holder = _holder(target)
        if timeout.is_over:
            raise SyncInProgress(
                f"{holder} holds the lock of the target {target.address}. Wait until it has ended"
                " or stop it, then start this execution again."
            )
        logger.info("waiting for the target's lock", holder=holder)
        timeout.pause_apart()


def _try_share(target: Session, execution: str) -> bool:
    """Take the target's lock shared if no other run holds or shares it, and none still writes.

    The execution's own key is taken before others' are looked for: of two executions that do so at
    the same moment, at least one sees the other. If both do, both step back, and try again after
    pauses of different length.
    """
    with target.savepoint() as savepoint:
        try_lock_shared(target, RUNS, execution)  # nobody takes it alone
        is_ours = (
            not is_other_key_held(target, RUNS, execution)
            and _nobody_writes(target, "pg_try_advisory_xact_lock_shared")
            and _try_key(target, "pg_try_advisory_xact_lock_shared", LOCK_KEY)
        )
        if not is_ours:
            savepoint.roll_back()
    return is_ours


def _try_lock(target: Session) -> bool:
    """Take the target's lock if no run holds it and none that has lost it still writes."""
    function = "pg_try_advisory_xact_lock"
    return _nobody_writes(target, function) and _try_key(target, function, LOCK_KEY)


def _nobody_writes(target: Session, function: str) -> bool:
    """Return whether no transaction of a run writes, even if the run has lost the target's lock."""
    with target.savepoint(force_rollback=True):
        return _try_key(target, function, WRITING_KEY)


def _try_key(target: Session, function: str, key: int) -> bool:
    """Try an advisory lock until the transaction ends, by a function of PostgreSQL's."""
    (is_ours,) = target.row(f"SELECT {function}(%s)", [key])
    return bool(is_ours)


def require_locked(target: Session) -> None:
    """Check that another session of this run holds the target's lock, as the target sees it.

    Args:
        target: a session in a transaction, which ends soon if it fails.

    Raises:
        DatabaseUnavailable: nobody holds it: a load balancer has led the two sessions to different
            servers, or the other one is lost.
    """
    (nobody_holds_it,) = target.row("SELECT pg_try_advisory_xact_lock(%s)", [LOCK_KEY])
    if nobody_holds_it:
        raise DatabaseUnavailable(
            f"The lock of the target {target.address}, which another connection of this run took,"
            " is not held there: that connection is lost, or the address leads to several servers."
            " Nothing was written."
        )


def lock_writing(target: Session) -> None:
    """Let no run take the target's lock before this transaction, which writes, has ended.

    Args:
        target: a session in a transaction; another one of this run holds the target's lock.
    """
    target.row("SELECT pg_advisory_xact_lock(%s)::text", [WRITING_KEY])


def _holder(target: Session) -> str:
    """Name the run that holds the target's lock, or that still writes."""
    holder = find_advisory_holder(target, LOCK_KEY) or find_advisory_holder(target, WRITING_KEY)
    if holder is None:
        return "Another run"
    if holder.execution is None:
        return f"No run of staging-sync, but {holder},"
    return f"Execution {holder.execution} (backend {holder.pid})"
