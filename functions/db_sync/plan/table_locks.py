"""Locks that keep what is planned as it is: on the source's tables, and on the target's.

The source's are locked as by any SELECT (ACCESS SHARE) before the snapshot is taken: TRUNCATE is
not MVCC-safe, so that a table truncated after the snapshot would read as empty.
https://www.postgresql.org/docs/current/mvcc-caveats.html
"""

from psycopg2 import sql

from common.errors import DatabaseUnavailable, OutOfTime, SchemaMismatch
from common.postgres.database import Session
from common.postgres.locking import locks
from common.postgres.locking.holders import find_table_locks, told
from common.postgres.names import Name
from common.postgres.settings.transaction_settings import REPEATABLE_READ
from db_sync.compare.planner import prepare
from db_sync.plan.tables import Plan
from db_sync.run import Run

BLOCKS_SELECT = "AccessExclusiveLock"


def begin_locked(source: Session, plan: Plan) -> bool:
    """Begin the source's transaction with locks on the planned tables; no snapshot is taken yet.

    Returns:
        False if one of the tables does not exist any more.

    Raises:
        DatabaseUnavailable: a lock was not granted in time; with those who hold one.
        OutOfTime: nor before the run's time was up.
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
            source.rollback()  # with the other tables' locks: a migration may wait for them
            if source.seconds_left <= 0:
                raise
            if timeout.is_over:
                raise _not_locked(source, tables) from None
            timeout.pause()
        else:
            return True


def read_through_policies(source: Session, plan: Plan) -> None:
    """Apply policies where they show every row to us; elsewhere they stay an error.

    No other policy can come about meanwhile: that waits for our lock on the table, under which
    the catalog is read once more.
    """
    if any(table.source.rights.has_policies for table in plan.tables):
        source.set_local(row_security="on")


def _lock(source: Session, tables: list[Name]) -> None:
    """Lock tables in one attempt, as short as those on the target are."""
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
    holders = [lock for lock in found if lock.mode == BLOCKS_SELECT]
    seconds = source.waits.source_locks.seconds
    return DatabaseUnavailable(
        f"The tables of the source database {source.address} could not be locked within"
        f" {seconds:.0f} s, as every SELECT locks them: {told(holders)}. Start the execution"
        " again when the migration of production is done."
    )


def make_writers_wait(run: Run, plan: Plan) -> set[Name]:
    """Lock the target's tables against writers; return them.

    A child that the application inserted meanwhile would survive its parent's deletion.
    """
    run.limit("the target's tables were locked")
    tables = tables_to_lock(plan)
    locks.lock_tables(run.target, sorted(tables), locks.EXCLUSIVE)
    return tables


def tables_to_lock(plan: Plan) -> set[Name]:
    """Return the tables that are synced, and those on the other side of their foreign keys.

    A parent that the application deletes meanwhile would be missed by a child that we write while
    foreign keys are not enforced.
    """
    synced = plan.synced
    tables = {table.name for table in plan.tables}
    for key in plan.catalogs.target.foreign_keys:
        if synced & {key.child_root, key.parent_root}:
            tables |= {key.child, key.parent}
    return tables
