"""Reads a database's catalog: each row of a query becomes one of the objects in `catalog`."""

from collections import defaultdict
from typing import Any, NamedTuple

from common.emails import find_collation
from common.postgres.database import Session
from common.postgres.foreign_keys import read_foreign_keys
from common.postgres.names import Name, TableColumn
from common.postgres.queries import load_query
from common.postgres.settings.replication_role import may_act_as_replica
from db_sync.plan.catalog import (
    Catalog,
    Column,
    Equality,
    Expression,
    ExtensionTable,
    Facts,
    Generation,
    MissingRights,
    Publications,
    Rights,
    Sequence,
    SequenceUser,
    Table,
    Type,
    TypeName,
)

type Json = dict[str, Any]  # a JSON object in a column


class _Cast(NamedTuple):
    """A row of list_casts.sql."""

    source: str
    target: str
    is_binary: bool


class _TableRow(NamedTuple):
    """A row of list_tables.sql."""

    oid: int
    schema: str
    name: str
    is_partitioned: bool
    has_foreign_partition: bool
    is_unlogged: bool
    key: list[str]
    key_equalities: list[Json]
    rights: Json
    parents: list[int]


class _MissingRightsRow(NamedTuple):
    """A row of list_missing_rights.sql."""

    schema: str
    name: str
    root: int
    is_partition: bool
    may_read: bool
    may_lock: bool
    states: list[str]


def read_catalog(session: Session) -> Catalog:
    """Read a database's catalog; the number of round trips does not depend on its size."""
    return Catalog(
        tables=_read_tables(session),
        foreign_keys=tuple(read_foreign_keys(session)),
        sequences=tuple(session.records(_query("list_sequences"), None, _sequence)),
        casts={
            (cast.source, cast.target): cast.is_binary
            for cast in session.records(_query("list_casts"), None, _Cast)
        },
        types=dict(session.records(_query("list_types"), None, _named_type)),
        facts=_read_facts(session),
        missing_rights=_read_missing_rights(session) if session.role == "target" else (),
    )


def _query(name: str) -> str:
    return load_query("db_sync/plan", name)


def _read_tables(session: Session) -> dict[Name, Table]:
    rows = session.records(_query("list_tables"), None, _TableRow)
    columns = _read_columns(session, [row.oid for row in rows])
    publications = dict(session.records(_query("list_publications"), None, _publications))
    paths = dict(session.records(_query("list_function_paths"), None, _function_path))
    tables = (
        Table(
            oid=row.oid,
            name=Name(row.schema, row.name),
            is_partitioned=row.is_partitioned,
            has_foreign_partition=row.has_foreign_partition,
            is_unlogged=row.is_unlogged,
            key=tuple(row.key),
            key_equalities=tuple(Equality(**equality) for equality in row.key_equalities),
            rights=Rights(**row.rights),
            columns=columns[row.oid],
            publications=publications.get(row.oid, Publications()),
            function_path=paths.get(row.oid, ""),
            parents=tuple(row.parents),
        )
        for row in rows
    )
    return {table.name: table for table in tables}


def _read_columns(session: Session, tables: list[int]) -> dict[int, dict[str, Column]]:
    """Return the columns of tables, by the table's oid and the column's name."""
    columns: dict[int, dict[str, Column]] = defaultdict(dict)
    for table_oid, column in session.records(_query("list_columns"), [tables], _column):
        columns[table_oid][column.name] = column
    return columns


def _column(*, table_oid: int, generation: Json | None, **rest: Any) -> tuple[int, Column]:
    return table_oid, Column(generation=_generation(**generation) if generation else None, **rest)


def _generation(*, is_stored: bool, uses_others: bool, expressions: list[Json]) -> Generation:
    return Generation(
        is_stored,
        uses_others,
        tuple(
            Expression(each["sql"], tuple(each["tables"]), tuple(each["columns"]))
            for each in expressions
        ),
    )


def _publications(*, table_oid: int, **rest: bool) -> tuple[int, Publications]:
    return table_oid, Publications(**rest)


def _function_path(*, table_oid: int, path: str) -> tuple[int, str]:
    return table_oid, path


def _sequence(
    *, schema: str, name: str, users: list[Json], owning_table: Json | None, **rights: bool
) -> Sequence:
    return Sequence(
        name=Name(schema, name),
        users=tuple(
            SequenceUser(
                user["root"], TableColumn(Name(user["schema"], user["table"]), user["column"])
            )
            for user in users
        ),
        owning_table=Name(**owning_table) if owning_table else None,
        **rights,
    )


def _named_type(
    *,
    full_name: str,
    labels: list[str],
    field_names: list[str],
    made_of: list[Json],
    **rest: Any,
) -> tuple[str, Type]:
    return full_name, Type(
        labels=tuple(labels),
        field_names=tuple(field_names),
        made_of=tuple(TypeName(**part) for part in made_of),
        **rest,
    )


def _read_facts(session: Session) -> Facts:
    lower_case = find_collation(session)

    def facts(*, extension_tables: list[Json], **rest: Any) -> Facts:
        tables = tuple(_extension_table(**table) for table in extension_tables)
        return Facts(extension_tables=tables, lower_case=lower_case, **rest)

    (found,) = session.records(_query("list_facts"), None, facts)
    return found


def _extension_table(*, schema: str, name: str, **rest: Any) -> ExtensionTable:
    return ExtensionTable(Name(schema, name), **rest)


def _read_missing_rights(session: Session) -> tuple[MissingRights, ...]:
    rows = session.records(_query("list_missing_rights"), None, _MissingRightsRow)
    acting = {"O", "A"}  # see pg_trigger.tgenabled
    if any(row.states for row in rows) and may_act_as_replica(session):
        acting = {"R", "A"}
    return tuple(
        MissingRights(
            name=Name(row.schema, row.name),
            root=row.root,
            is_partition=row.is_partition,
            may_read=row.may_read,
            may_lock=row.may_lock,
            has_foreign_triggers=bool(acting.intersection(row.states)),
        )
        for row in rows
    )
