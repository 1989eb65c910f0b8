"""Locks on the planned tables of both sides.

Both sides' tables are locked as by any SELECT (ACCESS SHARE) while they are compared, and before
the snapshot is taken: TRUNCATE is not MVCC-safe, so that a table truncated after the snapshot would
appear empty. https://www.postgresql.org/docs/current/mvcc-caveats.html
"""

from collections.abc import Collection

from psycopg2 import sql

from common.errors import (
    DatabaseUnavailable,
    OutOfTime,
    SchemaMismatch,
    StagingSyncError,
    TargetBusy,
)
from common.postgres.database import Session
from common.postgres.locking import locks
from common.postgres.locking.holders import describe_locks, find_table_locks
from common.postgres.names import Name
from common.postgres.settings.transaction_settings import REPEATABLE_READ
from common.postgres.waits import Retry
from db_sync.plan.tables import Plan
from db_sync.planner import prepare

BLOCKS_SELECT = "AccessExclusiveLock"


def begin_locked(session: Session, plan: Plan) -> bool:
    """Begin a side's transaction with locks on the planned tables; no snapshot is taken yet.

    Returns:
        False if one of the tables does not exist any more.

    Raises:
        DatabaseUnavailable, TargetBusy: a lock on the source, or the target, was not granted in
            time; names the sessions that hold one.
        OutOfTime: the run's time was up before that.
    """
    tables = [table.name for table in plan.tables]
    return begin_with_locks(
        session, tables, has_policies=session.role == "source" and _has_policies(plan)
    )


def begin_with_locks(session: Session, tables: list[Name], *, has_policies: bool) -> bool:
    """As `begin_locked`, with tables and not a plan.

    Args:
        session: of the source or the target.
        tables: what is locked.
        has_policies: whether some are read through policies that show us every row.
    """
    timeout = _patience(session).start()
    while True:
        session.begin(REPEATABLE_READ)
        prepare(session)
        if has_policies:
            session.set_local(row_security="on")
        try:
            _lock(session, tables)
        except SchemaMismatch:
            return False
        except OutOfTime:
            session.rollback()  # releases the other locks: a migration may wait for them
            if session.seconds_left <= 0:
                raise
            if timeout.is_over:
                raise _not_locked(session, tables) from None
            timeout.pause()
        else:
            return True


def _patience(session: Session) -> Retry:
    """Return how long the locks are waited for."""
    waits = session.waits
    return waits.source_locks if session.role == "source" else waits.table_locks


def read_through_policies(source: Session, plan: Plan) -> None:
    """Read through policies that show us every row; without them row_security stays off.

    With it off, PostgreSQL raises an error rather than hide rows. No policy can be added meanwhile:
    CREATE POLICY waits for our lock on the table, and with the lock held the catalog is read again.
    """
    if _has_policies(plan):
        source.set_local(row_security="on")


def _has_policies(plan: Plan) -> bool:
    return any(table.source.rights.has_policies for table in plan.tables)


def _lock(session: Session, tables: list[Name]) -> None:
    """Lock tables in one attempt, which is as short as those of locks for writing."""
    if not tables:
        return
    left = min(locks.ATTEMPT_LIMIT, max(1, session.seconds_left * 1000))
    session.set_local(statement_timeout=int(left))
    session.execute(
        sql.SQL("LOCK TABLE {} IN ACCESS SHARE MODE").format(
            sql.SQL(", ").join(table.identifier for table in tables)
        )
    )
    session.lift_limit()


def _not_locked(session: Session, tables: list[Name]) -> StagingSyncError:
    with session.transaction():
        found = find_table_locks(session, tables, readers=False)
    holders = describe_locks([lock for lock in found if lock.mode == BLOCKS_SELECT])
    is_source = session.role == "source"
    return (DatabaseUnavailable if is_source else TargetBusy)(
        f"The tables of the {session.role} database {session.address} could not be locked within"
        f" {_patience(session).seconds:.0f} s, even in the mode of a SELECT (ACCESS SHARE):"
        f" {holders}. Start the execution again when the migration of"
        f" {'production' if is_source else 'staging'} is done."
    )


def tables_to_lock(plan: Plan, different: Collection[int]) -> set[Name]:
    """Return which of the target's tables are locked against writers before some are written.

    These tables, and those at the other end of their foreign keys. Otherwise a child that the
    application inserts meanwhile would survive its parent's deletion; and while foreign keys are
    not enforced, we might write a child whose parent the application deletes meanwhile. Users are
    locked with what follows their subs, and the other way round.

    Args:
        plan: of the sync.
        different: the oids of the tables that are to be written.
    """
    names = {table.target.oid: table.name for table in plan.tables}
    tables = {names[oid] for oid in different}
    for key in plan.catalogs.target.foreign_keys:
        if key.child_root in different or key.parent_root in different:
            tables.add(names.get(key.child_root, key.child))
            tables.add(names.get(key.parent_root, key.parent))
    return _with_people(plan, tables, {names[oid] for oid in different})


def _with_people(plan: Plan, tables: set[Name], different: set[Name]) -> set[Name]:
    """Return tables with all that follow one sub column, if one of these or the users differ."""
    while True:
        more = set(tables)
        for people in plan.people:
            followers = {
                each.column.table for each in plan.followers if each.followed == people.column
            }
            if people.users.name in different or followers & more:
                more |= followers | {people.users.name}
        if more == tables:
            return tables
        tables = more
