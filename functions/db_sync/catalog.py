"""What a database has, as far as a sync must know: tables, columns, keys, sequences."""

from collections import defaultdict
from dataclasses import dataclass

from common.database import Session
from common.names import Name
from common.queries import load_query


@dataclass(frozen=True, slots=True)
class Column:
    """A column; `type` has its modifier, as in numeric(12,2), `base_type` has not."""

    name: str
    type: str
    base_type: str
    category: str  # pg_type.typcategory
    is_required: bool
    has_default: bool
    is_generated: bool
    is_unique: bool


@dataclass(frozen=True, slots=True)
class Table:
    """A table or the root of a partitioned one."""

    oid: int
    name: Name
    is_partitioned: bool
    has_foreign_partition: bool
    key: tuple[str, ...]  # empty: no key
    key_operator_schemas: tuple[str, ...]  # where each key column's = operator lies
    columns: dict[str, Column]


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """A foreign key; roots are the oids of the tables or of their partition roots."""

    name: str
    child: Name
    child_root: int
    parent: Name
    parent_root: int
    columns: tuple[str, ...]
    parent_columns: tuple[str, ...]
    operator_schemas: tuple[str, ...]
    is_valid: bool
    definition: str
    comment: str | None

    @property
    def has_action(self) -> bool:
        """Whether a change of the parent changes the child, as ON DELETE CASCADE does."""
        return " ON DELETE " in self.definition or " ON UPDATE " in self.definition

    def says_the_same_as(self, other: "ForeignKey") -> bool:
        """Return whether both demand the same of the same tables, whatever their names."""
        return (self.child, self.columns, self.parent, self.parent_columns) == (
            other.child,
            other.columns,
            other.parent,
            other.parent_columns,
        )


@dataclass(frozen=True, slots=True)
class Sequence:
    """A sequence; `owner` is the oid of the table whose column owns it, 0 if none does."""

    name: Name
    owner: int
    owner_column: str | None
    is_readable: bool


@dataclass(frozen=True, slots=True)
class Catalog:
    """One side's catalog, read at one moment."""

    tables: dict[Name, Table]
    foreign_keys: tuple[ForeignKey, ...]
    sequences: tuple[Sequence, ...]
    casts: frozenset[tuple[str, str]]  # base types, from and to


def read_catalog(session: Session) -> Catalog:
    """Read a database's catalog; the number of round trips does not depend on its size."""
    tables = session.rows(load_query("db_sync", "list_tables"))
    columns = _read_columns(session, [oid for oid, *_ in tables])
    casts: list[tuple[str, str]] = [
        (source, target) for source, target in session.rows(load_query("db_sync", "list_casts"))
    ]
    return Catalog(
        tables={
            Name(schema, name): Table(
                oid, Name(schema, name), partitioned, foreign, tuple(key), tuple(ops), columns[oid]
            )
            for oid, schema, name, partitioned, foreign, key, ops in tables
        },
        foreign_keys=tuple(
            ForeignKey(
                name,
                Name(schema, table),
                child_root,
                Name(parent_schema, parent),
                parent_root,
                tuple(child_columns),
                tuple(parent_columns),
                tuple(schemas),
                *rest,
            )
            for (
                name,
                schema,
                table,
                child_root,
                parent_schema,
                parent,
                parent_root,
                child_columns,
                parent_columns,
                schemas,
                *rest,
            ) in session.rows(load_query("db_sync", "list_foreign_keys"))
        ),
        sequences=tuple(
            Sequence(Name(schema, name), *rest)
            for schema, name, *rest in session.rows(load_query("db_sync", "list_sequences"))
        ),
        casts=frozenset(casts),
    )


def _read_columns(session: Session, tables: list[int]) -> dict[int, dict[str, Column]]:
    """Return the columns of tables, by the table's oid and the column's name."""
    columns: dict[int, dict[str, Column]] = defaultdict(dict)
    for oid, *column in session.rows(load_query("db_sync", "list_columns"), [tables]):
        columns[oid][column[0]] = Column(*column)
    return columns
