"""Locks on the planned tables of both sides.

The source's tables are locked as by any SELECT (ACCESS SHARE), and before the snapshot is taken:
TRUNCATE is not MVCC-safe, so that a table truncated after the snapshot would appear empty.
https://www.postgresql.org/docs/current/mvcc-caveats.html
"""

from psycopg2 import sql

from common.errors import DatabaseUnavailable, OutOfTime, SchemaMismatch
from common.postgres.database import Session
from common.postgres.locking import locks
from common.postgres.locking.holders import describe_locks, find_table_locks
from common.postgres.names import Name
from common.postgres.settings.transaction_settings import REPEATABLE_READ
from db_sync.plan.tables import Plan
from db_sync.planner import prepare
from db_sync.run import Run

BLOCKS_SELECT = "AccessExclusiveLock"


def begin_locked(source: Session, plan: Plan) -> bool:
    """Begin the source's transaction with locks on the planned tables; no snapshot is taken yet.

    Returns:
        False if one of the tables does not exist any more.

    Raises:
        DatabaseUnavailable: a lock was not granted in time; names the sessions that hold one.
        OutOfTime: the run's time was up before that.
    """
    tables = [table.name for table in plan.tables]
    timeout = source.waits.source_locks.start()
    while True:
        source.begin(REPEATABLE_READ)
        prepare(source)
        read_through_policies(source, plan)
        try:
            _lock(source, tables)
        except SchemaMismatch:
            return False
        except OutOfTime:
            source.rollback()  # releases the other locks: a migration may wait for them
            if source.seconds_left <= 0:
                raise
            if timeout.is_over:
                raise _not_locked(source, tables) from None
            timeout.pause()
        else:
            return True


def read_through_policies(source: Session, plan: Plan) -> None:
    """Read through policies that show us every row; without them row_security stays off.

    With it off, PostgreSQL raises an error rather than hide rows. No policy can be added meanwhile:
    CREATE POLICY waits for our lock on the table, and with the lock held the catalog is read again.
    """
    if any(table.source.rights.has_policies for table in plan.tables):
        source.set_local(row_security="on")


def _lock(source: Session, tables: list[Name]) -> None:
    """Lock tables in one attempt, which is as short as those on the target."""
    if not tables:
        return
    left = min(locks.ATTEMPT_LIMIT, max(1, source.seconds_left * 1000))
    source.set_local(statement_timeout=int(left))
    source.execute(
        sql.SQL("LOCK TABLE {} IN ACCESS SHARE MODE").format(
            sql.SQL(", ").join(table.identifier for table in tables)
        )
    )
    source.lift_limit()


def _not_locked(source: Session, tables: list[Name]) -> DatabaseUnavailable:
    with source.transaction():
        found = find_table_locks(source, tables, readers=False)
    holders = describe_locks([lock for lock in found if lock.mode == BLOCKS_SELECT])
    seconds = source.waits.source_locks.seconds
    return DatabaseUnavailable(
        f"The tables of the source database {source.address} could not be locked within"
        f" {seconds:.0f} s, even in the mode of a SELECT (ACCESS SHARE): {holders}. Start the"
        " execution again when the migration of production is done."
    )


def make_writers_wait(run: Run, plan: Plan) -> set[Name]:
    """Lock the target's tables against writers; return their names.

    Otherwise a child that the application inserts meanwhile would survive its parent's deletion.
    """
    run.limit("the target's tables were locked")
    tables = tables_to_lock(plan)
    locks.lock_tables(run.target, sorted(tables), locks.EXCLUSIVE)
    return tables


def tables_to_lock(plan: Plan) -> set[Name]:
    """Return the tables that are synced, and those at the other end of their foreign keys.

    Otherwise, while foreign keys are not enforced, we might write a child whose parent the
    application deletes meanwhile.
    """
    synced = plan.synced
    tables = {table.name for table in plan.tables}
    for key in plan.catalogs.target.foreign_keys:
        if synced & {key.child_root, key.parent_root}:
            tables |= {key.child, key.parent}
    return tables
