"""The source's snapshot: one moment of production, read-only."""

from dataclasses import dataclass

from psycopg2 import sql

from common.database import Session
from common.errors import SchemaMismatch
from db_sync.catalog import Catalog, read_catalog
from db_sync.plan import Plan, make_plan
from db_sync.rules import SyncRules

ATTEMPTS = 3
LOCK_TIMEOUT = "30s"  # a migration of production is not waited for without end


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The plan, and the source's catalog as of the snapshot; `taken_at` is ISO 8601 in UTC."""

    plan: Plan
    catalog: Catalog
    taken_at: str


def open_snapshot(source: Session, target_catalog: Catalog, rules: SyncRules) -> Snapshot:
    """Plan the sync and begin the source's transaction.

    The planned tables are locked (ACCESS SHARE, as any SELECT does) before the snapshot is
    taken: TRUNCATE is not MVCC-safe, so that a table truncated after the snapshot would read
    as empty. https://www.postgresql.org/docs/current/mvcc-caveats.html

    Raises:
        SchemaMismatch: see `make_plan`; or the source's schema changes all the time.
    """
    catalog = read_catalog(source)
    for _ in range(ATTEMPTS):
        plan = make_plan(catalog, target_catalog, rules)
        source.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        source.execute(sql.SQL("SET LOCAL lock_timeout = {}").format(sql.Literal(LOCK_TIMEOUT)))
        if plan.tables:
            source.execute(
                sql.SQL("LOCK TABLE {} IN ACCESS SHARE MODE").format(
                    sql.SQL(", ").join(table.name.identifier for table in plan.tables)
                )
            )
        locked = read_catalog(source)
        if locked == catalog:
            (taken_at,) = source.row("SELECT to_json(clock_timestamp()) #>> '{}'")
            return Snapshot(plan, catalog, taken_at)
        source.execute("ROLLBACK")
        catalog = locked
    raise SchemaMismatch(
        f"The schema of the source {source.address} changes while it is read. Start again when"
        " its migration is done."
    )
