"""Foreign keys of the target: out of the way of our writes where they must be, true at the end.

Under `session_replication_role = replica` they do nothing, and what our writes might break is
checked by queries (`orphans.py`). Otherwise they stay in place, or are dropped and created again in
the same transaction, which checks them.
"""

from psycopg2 import sql

from common.errors import SchemaMismatch
from common.postgres.database import Session
from common.postgres.foreign_keys import ForeignKey
from common.postgres.settings.replication_role import define
from db_sync.plan.catalog import Catalog
from db_sync.plan.tables import TablePlan
from db_sync.write.breaches import Breach
from db_sync.write.orphans import count_orphans


def foreign_keys_on(catalog: Catalog, plans: list[TablePlan]) -> list[ForeignKey]:
    """Return the foreign keys from or to these tables."""
    written = {plan.target.oid for plan in plans}
    return [key for key in catalog.foreign_keys if written & {key.child_root, key.parent_root}]


def drop(target: Session, keys: list[ForeignKey]) -> None:
    """Drop foreign keys; nothing restores them but `create` and the end of a lost transaction."""
    for key in keys:
        define(
            target,
            sql.SQL("ALTER TABLE {} DROP CONSTRAINT {}").format(
                key.child.identifier, sql.Identifier(key.name)
            ),
        )


def create(target: Session, keys: list[ForeignKey]) -> list[Breach]:
    """Create foreign keys again as they were, which checks them.

    Returns:
        Those that rows break, of which none is there now.
    """
    return [breach for key in keys for breach in [_create(target, key)] if breach is not None]


def _create(target: Session, key: ForeignKey) -> Breach | None:
    """Create a foreign key again; or return how many rows break it."""
    name, table = sql.Identifier(key.name), key.child.identifier
    add = sql.SQL("ALTER TABLE {} ADD CONSTRAINT {} {}").format(
        table, name, sql.SQL(key.definition)
    )
    try:
        with target.savepoint():
            define(target, add)
    except SchemaMismatch:
        orphans = 0 if key.is_period else count_orphans(target, key)
        if not orphans:
            raise
        return Breach(key, orphans)
    if key.comment is not None:
        define(
            target,
            sql.SQL("COMMENT ON CONSTRAINT {} ON {} IS {}").format(
                name, table, sql.Literal(key.comment)
            ),
        )
    return None
