"""Foreign keys of the target: out of the way of our writes where they must be, true at the end.

Under `session_replication_role = replica` they sleep, and those that the source does not vouch
for are checked by a query. Otherwise they stay in place, or are dropped and created again in the
same transaction, which checks them.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from psycopg2 import sql

from common.database import Session
from common.errors import SchemaMismatch
from common.foreign_keys import MATCH_FULL, ForeignKey
from common.queries import load_query
from db_sync.catalog import Catalog
from db_sync.plan import TablePlan


def foreign_keys_on(catalog: Catalog, plans: list[TablePlan]) -> list[ForeignKey]:
    """Return the foreign keys from or to these tables."""
    written = {plan.target.oid for plan in plans}
    return [key for key in catalog.foreign_keys if written & {key.child_root, key.parent_root}]


@contextmanager
def dropped(target: Session, keys: list[ForeignKey]) -> Iterator[None]:
    """Drop foreign keys and create them again under the same names, checked.

    Raises:
        SchemaMismatch: rows break one of them.
    """
    for key in keys:
        target.execute(
            sql.SQL("ALTER TABLE {} DROP CONSTRAINT {}").format(
                key.child.identifier, sql.Identifier(key.name)
            )
        )
    yield
    for key in keys:
        target.execute(
            sql.SQL("ALTER TABLE {} ADD CONSTRAINT {} {}").format(
                key.child.identifier, sql.Identifier(key.name), sql.SQL(key.definition)
            )
        )
        if key.comment is not None:
            target.execute(
                sql.SQL("COMMENT ON CONSTRAINT {} ON {} IS {}").format(
                    sql.Identifier(key.name), key.child.identifier, sql.Literal(key.comment)
                )
            )


def vouched_for(keys: list[ForeignKey], source: Catalog, plans: list[TablePlan]) -> set[ForeignKey]:
    """Return the foreign keys that the copied rows keep because the source's rows keep them.

    A valid one of the source that says the same vouches for both tables' rows, since they are
    copied from one snapshot.

    Args:
        keys: the target's foreign keys in question.
        source: the source's catalog.
        plans: the tables that are synced.
    """
    return {
        key
        for key in keys
        if _is_copied(key, plans) and any(twin.is_valid for twin in _twins(key, source, plans))
    }


def _is_copied(key: ForeignKey, plans: list[TablePlan]) -> bool:
    """Whether both tables are synced."""
    return {key.child_root, key.parent_root} <= {plan.target.oid for plan in plans}


def _twins(key: ForeignKey, source: Catalog, plans: list[TablePlan]) -> list[ForeignKey]:
    """Return the source's foreign keys that say the same of the same values."""
    kept = {(plan.target.oid, column.name) for plan in plans for column in plan.kept}
    columns = {(key.child_root, column) for column in key.columns}
    columns |= {(key.parent_root, column) for column in key.parent_columns}
    if columns & kept:
        return []  # the values are not the source's
    return [other for other in source.foreign_keys if other.says_the_same_as(key)]


def check(
    target: Session, keys: list[ForeignKey], source: Catalog, plans: list[TablePlan]
) -> list[str]:
    """Check the foreign keys that slept and that the source's own do not vouch for.

    Args:
        target: the session that wrote.
        keys: the target's foreign keys in question.
        source: the source's catalog.
        plans: the tables that are synced.

    Returns:
        A warning for each foreign key whose rows lost their parent through no fault of ours:
        the table is not synced, or production breaks it too.

    Raises:
        SchemaMismatch: rows that were copied break a foreign key; lists each.
    """
    warnings: list[str] = []
    broken: list[str] = []
    vouched = vouched_for(keys, source, plans)
    for key in keys:
        if not key.is_valid or key in vouched:
            continue
        orphans = _count_orphans(target, key)
        if not orphans:
            continue
        text = f"{orphans} rows of {key.child} break its foreign key {key.name} to {key.parent}"
        if _is_copied(key, plans) and not _twins(key, source, plans):
            broken.append(text)
        else:
            warnings.append(f"{text}.")
    if broken:
        raise SchemaMismatch(
            f"The target has foreign keys that production's rows break: {'; '.join(broken)}."
            " Nothing was written. Exclude the table, or drop the foreign key."
        )
    return warnings


def _count_orphans(target: Session, key: ForeignKey) -> int:
    either = sql.SQL(" OR " if key.match == MATCH_FULL else " AND ")
    parts = {
        "child": key.child_rows,
        "parent": key.parent_rows,
        "has_value": either.join(
            sql.SQL("c.{} IS NOT NULL").format(sql.Identifier(column)) for column in key.columns
        ),
        "same_key": key.refers("c", "p"),
    }
    query = sql.SQL(load_query("db_sync", "count_orphans")).format(**parts)
    return int(target.row(query)[0])
