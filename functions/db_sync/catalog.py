"""What a database has, as far as a sync must know: tables, columns, keys, sequences."""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import NamedTuple

from common.database import Session
from common.emails import find_collation
from common.foreign_keys import ForeignKey, read_foreign_keys
from common.names import Name
from common.queries import load_query


@dataclass(frozen=True, slots=True)
class Column:
    """A column; `type` has its modifier, as in numeric(12,2), `base_type` has not.

    `unique_keys` are the columns of each unique index that it is under.
    """

    name: str
    type: str
    base_type: str
    category: str  # pg_type.typcategory
    is_required: bool
    has_default: bool
    is_generated: bool
    is_always_generated: bool  # an identity that no UPDATE may set
    unique_keys: list[list[str]]


@dataclass(frozen=True, slots=True)
class Rights:
    """What our role may do with a table.

    `has_policies`: whether row level security binds it; `policies_show_all`: whether those
    policies let it see every row for certain.
    """

    may_use_schema: bool
    may_read: bool
    may_write: bool
    is_owner: bool
    has_policies: bool
    policies_show_all: bool

    @property
    def sees_all(self) -> bool:
        """Whether no policy hides a row."""
        return self.policies_show_all or not self.has_policies

    @property
    def may_read_all(self) -> bool:
        """Whether every row can be read."""
        return self.may_use_schema and self.may_read and self.sees_all


@dataclass(frozen=True, slots=True)
class Table:
    """A table or the root of a partitioned one."""

    oid: int
    name: Name
    is_partitioned: bool
    has_foreign_partition: bool
    is_unlogged: bool  # it or one of its partitions
    key: tuple[str, ...]  # empty: no key
    key_operator_schemas: tuple[str, ...]  # where each key column's = operator lies
    rights: Rights
    columns: dict[str, Column]


class TypeName(NamedTuple):
    """A type's name with its modifier, as in numeric(12,2), and without."""

    type: str
    base_type: str


@dataclass(frozen=True, slots=True)
class Type:
    """A type that a database or one of its extensions defines.

    `labels` are an enum's, or the names of a composite's fields. `made_of` are the types of those
    fields, a domain's base type, a range's subtype, a multirange's range.
    """

    kind: str  # pg_type.typtype: "e" an enum, "c" a composite, "d" a domain, …
    name: str  # without its schema
    extension: str | None
    labels: tuple[str, ...]
    made_of: tuple[TypeName, ...]

    @property
    def identity(self) -> tuple[str, str, str | None]:
        """What it is, in whatever schema it lies."""
        return self.kind, self.name, self.extension

    @property
    def fields(self) -> str:
        """A composite's fields, for a message."""
        return ", ".join(
            f"{name} {of.type}" for name, of in zip(self.labels, self.made_of, strict=True)
        )


class SequenceUser(NamedTuple):
    """A column that takes its numbers from a sequence.

    `root` is the oid of its table, or of the whole table where that is a partition.
    """

    root: int
    schema: str
    table: str
    column: str


@dataclass(frozen=True, slots=True)
class Sequence:
    """A sequence, and the columns that own it or name it in their default."""

    name: Name
    users: tuple[SequenceUser, ...]
    is_readable: bool


@dataclass(frozen=True, slots=True)
class Facts:
    """What is true of a whole database, and of our role there.

    `lower_case` is the collation that puts an address in lower case.
    """

    database: str
    role: str
    may_create_temporary: bool
    is_standby: bool
    large_objects: int
    lower_case: str


@dataclass(frozen=True, slots=True)
class Catalog:
    """One side's catalog, read at one moment; the facts are no part of its schema."""

    tables: dict[Name, Table]
    foreign_keys: tuple[ForeignKey, ...]
    sequences: tuple[Sequence, ...]
    casts: dict[tuple[str, str], bool]  # base types, from and to; whether they are stored alike
    types: dict[str, Type]
    facts: Facts = field(compare=False)


def read_catalog(session: Session) -> Catalog:
    """Read a database's catalog; the number of round trips does not depend on its size."""
    return Catalog(
        tables=_read_tables(session),
        foreign_keys=tuple(read_foreign_keys(session)),
        sequences=tuple(
            Sequence(Name(schema, name), tuple(SequenceUser(*user) for user in users), is_readable)
            for schema, name, users, is_readable in session.rows(
                load_query("db_sync", "list_sequences")
            )
        ),
        casts={
            (source, target): is_binary
            for source, target, is_binary in session.rows(load_query("db_sync", "list_casts"))
        },
        types={
            full_name: Type(
                kind, name, extension, tuple(labels), tuple(TypeName(*each) for each in made_of)
            )
            for full_name, kind, name, extension, labels, made_of in session.rows(
                load_query("db_sync", "list_types")
            )
        },
        facts=_read_facts(session),
    )


def _read_facts(session: Session) -> Facts:
    database, role, may_create, is_standby, objects = session.row(
        load_query("db_sync", "list_facts")
    )
    return Facts(database, role, may_create, is_standby, objects, find_collation(session))


def _read_tables(session: Session) -> dict[Name, Table]:
    rows = session.rows(load_query("db_sync", "list_tables"))
    columns = _read_columns(session, [oid for oid, *_ in rows])
    tables: dict[Name, Table] = {}
    for oid, schema, table, partitioned, foreign, unlogged, key, operator_schemas, *rights in rows:
        name = Name(schema, table)
        tables[name] = Table(
            oid,
            name,
            partitioned,
            foreign,
            unlogged,
            tuple(key),
            tuple(operator_schemas),
            Rights(*rights),
            columns[oid],
        )
    return tables


def _read_columns(session: Session, tables: list[int]) -> dict[int, dict[str, Column]]:
    """Return the columns of tables, by the table's oid and the column's name."""
    columns: dict[int, dict[str, Column]] = defaultdict(dict)
    for oid, *column in session.rows(load_query("db_sync", "list_columns"), [tables]):
        columns[oid][column[0]] = Column(*column)
    return columns
