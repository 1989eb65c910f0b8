"""A database's catalog, read; see `catalog` for what is in it."""

from collections import defaultdict

from common.emails import find_collation
from common.postgres.database import Session
from common.postgres.foreign_keys import read_foreign_keys
from common.postgres.names import Name
from common.postgres.queries import load_query
from common.postgres.settings.replication_role import may_act_as_replica
from db_sync.plan.catalog import (
    Catalog,
    Column,
    Equality,
    ExtensionTable,
    Facts,
    Generation,
    Lacking,
    Publications,
    Rights,
    Sequence,
    SequenceUser,
    Table,
    Type,
    TypeName,
)


def read_catalog(session: Session) -> Catalog:
    """Read a database's catalog; the number of round trips does not depend on its size."""
    return Catalog(
        tables=_read_tables(session),
        foreign_keys=tuple(read_foreign_keys(session)),
        sequences=_read_sequences(session),
        casts={
            (source, target): is_binary
            for source, target, is_binary in session.rows(load_query("db_sync/plan", "list_casts"))
        },
        types={
            full_name: Type(
                kind, name, extension, tuple(labels), tuple(TypeName(*each) for each in made_of)
            )
            for full_name, kind, name, extension, labels, made_of in session.rows(
                load_query("db_sync/plan", "list_types")
            )
        },
        facts=_read_facts(session),
        lacking=_read_lacking(session) if session.role == "target" else (),
    )


def _read_sequences(session: Session) -> tuple[Sequence, ...]:
    return tuple(
        Sequence(
            Name(schema, name),
            tuple(SequenceUser(*user) for user in users),
            Name(*owning_table) if owning_table else None,
            is_readable,
            may_alter,
        )
        for schema, name, users, owning_table, is_readable, may_alter in session.rows(
            load_query("db_sync/plan", "list_sequences")
        )
    )


def _read_lacking(session: Session) -> tuple[Lacking, ...]:
    rows = session.rows(load_query("db_sync/plan", "list_lacking_rights"))
    acting = {"O", "A"}  # see pg_trigger.tgenabled
    if any(states for *_, states in rows) and may_act_as_replica(session):
        acting = {"R", "A"}
    return tuple(
        Lacking(
            Name(schema, table),
            root,
            is_partition,
            may_read,
            may_lock,
            bool(acting.intersection(states)),
        )
        for schema, table, root, is_partition, may_read, may_lock, states in rows
    )


def _read_facts(session: Session) -> Facts:
    database, role, may_create, is_standby, objects, tables = session.row(
        load_query("db_sync/plan", "list_facts")
    )
    extension_tables = tuple(
        ExtensionTable(Name(schema, table), *rest) for schema, table, *rest in tables
    )
    collation = find_collation(session)
    return Facts(database, role, may_create, is_standby, objects, extension_tables, collation)


def _read_tables(session: Session) -> dict[Name, Table]:
    rows = session.rows(load_query("db_sync/plan", "list_tables"))
    columns = _read_columns(session, [oid for oid, *_ in rows])
    published = {
        oid: Publications(*rest)
        for oid, *rest in session.rows(load_query("db_sync/plan", "list_published"))
    }
    paths: dict[int, str] = dict(session.rows(load_query("db_sync/plan", "list_function_paths")))
    tables: dict[Name, Table] = {}
    for oid, schema, table, partitioned, foreign, unlogged, key, equalities, *rights in rows:
        name = Name(schema, table)
        tables[name] = Table(
            oid,
            name,
            partitioned,
            foreign,
            unlogged,
            tuple(key),
            tuple(Equality(*each) for each in equalities),
            Rights(*rights),
            columns[oid],
            published.get(oid, Publications()),
            paths.get(oid, ""),
        )
    return tables


def _read_columns(session: Session, tables: list[int]) -> dict[int, dict[str, Column]]:
    """Return the columns of tables, by the table's oid and the column's name."""
    columns: dict[int, dict[str, Column]] = defaultdict(dict)
    for oid, *column in session.rows(load_query("db_sync/plan", "list_columns"), [tables]):
        column[-1] = column[-1] and Generation.of_json(column[-1])
        columns[oid][column[0]] = Column(*column)
    return columns
