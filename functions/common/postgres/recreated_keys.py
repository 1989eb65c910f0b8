"""Foreign keys dropped and created again in the same transaction, exactly as they were."""

from psycopg2 import sql

from common.errors import SchemaMismatch
from common.postgres.database import Session
from common.postgres.foreign_keys import ForeignKey
from common.postgres.orphans import count_orphans
from common.postgres.settings.replication_role import define


def drop_key(target: Session, key: ForeignKey) -> None:
    """Drop a foreign key; `create_again` or a rollback brings it back."""
    define(
        target,
        sql.SQL("ALTER TABLE {} DROP CONSTRAINT {}").format(
            key.child.identifier, sql.Identifier(key.name)
        ),
    )


def create_again(target: Session, key: ForeignKey) -> int:
    """Create a foreign key as it was, which checks all rows unless it is NOT VALID.

    Returns:
        How many rows violate it; if any do, it was not created.
    """
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
        return orphans
    if key.comment is not None:
        define(
            target,
            sql.SQL("COMMENT ON CONSTRAINT {} ON {} IS {}").format(
                name, table, sql.Literal(key.comment)
            ),
        )
    return 0
