"""Indexes are dropped before a load and built again after it.

Once an index outgrows the server's memory, building it takes a fraction of the time that updating
it row by row takes. All of it happens in the sync's transaction: a rollback brings them back.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg2 import sql

from common.postgres.database import Session
from common.postgres.queries import load_query
from common.postgres.settings.function_names import catalog_records
from common.postgres.settings.replication_role import define
from db_sync.plan.tables import TablePlan

CONSTRAINTS = {"p": "PRIMARY KEY", "u": "UNIQUE"}  # pg_constraint.contype


@dataclass(frozen=True, slots=True)
class Index:
    """An index that can be built again: its quoted name, and the constraint that owns it."""

    name: str
    definition: str
    constraint_name: str | None
    constraint_type: str | None


def drop_indexes(target: Session, plan: TablePlan) -> list[Index]:
    """Drop the indexes of a table that can be built again exactly as they are; return them.

    The others (see the query) stay, and are updated row by row.
    """
    query = load_query("db_sync/write", "list_rebuildable_indexes")
    indexes = catalog_records(target, query, {"table": plan.target.oid}, Index)
    for index in indexes:
        if index.constraint_name is None:
            define(target, sql.SQL("DROP INDEX {}").format(sql.SQL(index.name)))
        else:
            define(
                target,
                sql.SQL("ALTER TABLE {} DROP CONSTRAINT {}").format(
                    plan.name.identifier, sql.Identifier(index.constraint_name)
                ),
            )
    return indexes


def create_indexes(target: Session, plan: TablePlan, indexes: Sequence[Index]) -> None:
    """Build indexes again, and the constraints that they belong to.

    Raises:
        SchemaMismatch: two rows are equal under a unique index.
    """
    for index in indexes:
        define(target, index.definition)
    for index in indexes:
        if index.constraint_name is not None and index.constraint_type is not None:
            define(
                target,
                sql.SQL("ALTER TABLE {} ADD CONSTRAINT {} {} USING INDEX {}").format(
                    plan.name.identifier,
                    sql.Identifier(index.constraint_name),
                    sql.SQL(CONSTRAINTS[index.constraint_type]),
                    sql.Identifier(index.constraint_name),
                ),
            )
