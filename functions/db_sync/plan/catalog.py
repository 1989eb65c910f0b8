"""What a sync needs to know about a database: tables, columns, keys, types, sequences, rights."""

from dataclasses import dataclass, field
from typing import NamedTuple

from psycopg2 import sql

from common.follow.substitution import Replacements, SubColumn
from common.postgres.foreign_keys import ForeignKey
from common.postgres.names import Name, TableColumn

# Kinds of types, see pg_type.typtype.
ENUM, COMPOSITE, DOMAIN = "e", "c", "d"


@dataclass(frozen=True, slots=True)
class Expression:
    """The SQL expression of a generated column, and the columns that it reads."""

    sql: str
    tables: tuple[int, ...]  # oids of the table, root or partitions that have this expression
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Generation:
    """How a column is generated.

    `uses_others`: whether its expressions use functions, types or the like that are not built into
    PostgreSQL.
    """

    is_stored: bool
    uses_others: bool
    expressions: tuple[Expression, ...]

    @property
    def sql(self) -> set[str]:
        """The distinct expressions."""
        return {expression.sql for expression in self.expressions}


@dataclass(frozen=True, slots=True)
class Column:
    """A column; `type` includes the modifier, as in numeric(12,2), `base_type` does not.

    `unique_keys` are the columns of each unique index that the column is part of. `is_unique`:
    whether it is part of any, also of one on several expressions or of a partition's.
    """

    name: str
    type: str
    base_type: str
    category: str  # pg_type.typcategory
    is_required: bool
    has_default: bool
    is_always_generated: bool  # GENERATED ALWAYS AS IDENTITY: no UPDATE may set it
    unique_keys: list[list[str]]
    is_unique: bool
    generation: Generation | None  # None: not generated

    @property
    def is_generated(self) -> bool:
        """Whether its value is computed from other columns of the row."""
        return self.generation is not None

    @property
    def computed_from(self) -> set[str]:
        """The other columns of the row that it is computed from."""
        expressions = self.generation.expressions if self.generation else ()
        return {name for expression in expressions for name in expression.columns}


@dataclass(frozen=True, slots=True)
class Rights:
    """What our role may do with a table.

    `has_policies`: whether row level security applies to it; `policies_show_all`: whether those
    policies are certain to show it every row.
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
class Equality:
    """How a key's index compares a column: the schema of its = operator, and its collation.

    The collation is SQL; None if it is the column's own.
    """

    operator_schema: str
    collation: str | None


@dataclass(frozen=True, slots=True)
class Publications:
    """What a table's publications mean for our writes.

    `refuses_changes`: whether PostgreSQL refuses to update and delete rows; `hides_truncate`:
    whether updates or deletes are published, and TRUNCATE is not.
    """

    refuses_changes: bool = False
    hides_truncate: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    """Some of a table's rows, by the bounds of their keys: see `db_sync.parts`.

    `condition` is SQL that is true of its rows `t`, on both sides; `about_rows`: how many rows of
    the source that are, estimated.
    """

    condition: sql.Composable
    about_rows: int


@dataclass(frozen=True, slots=True)
class Following:
    """A column of the target whose subs staging has replaced, and what it held in production.

    `as_sent` is the name that `rows_to_compare` gives to its value with production's subs, and
    `people` that of the temporary table with both, see `db_sync.follow.people`.
    """

    column: SubColumn
    as_sent: str
    people: str

    @property
    def forward(self) -> Replacements:
        """What replaces production's subs by staging's."""
        return Replacements(sql.Identifier("pg_temp", self.people), "source_sub", "target_sub")

    @property
    def back(self) -> Replacements:
        """What replaces staging's by production's."""
        return Replacements(sql.Identifier("pg_temp", self.people), "target_sub", "source_sub")


@dataclass(frozen=True, slots=True)
class Table:
    """A table; partitions are part of their partitioned table.

    With a `section`, only those of its rows are read and written. `following` are the columns that
    hold subs of staging's own.
    """

    oid: int
    name: Name
    is_partitioned: bool
    has_foreign_partition: bool
    is_unlogged: bool  # it or one of its partitions
    key: tuple[str, ...]  # empty: no key
    key_equalities: tuple[Equality, ...]  # of each key column
    rights: Rights
    columns: dict[str, Column]
    publications: Publications
    function_path: str  # a search path for the functions that it calls; "" if it calls none
    parents: tuple[int, ...]  # oids of the tables that it inherits columns from
    section: Section | None = None
    following: tuple[Following, ...] = ()


@dataclass(frozen=True, slots=True)
class TypeName:
    """A type's name with its modifier, as in numeric(12,2), and without it."""

    type: str
    base_type: str


@dataclass(frozen=True, slots=True)
class Type:
    """A type that a database or one of its extensions defines.

    `labels` are an enum's, `field_names` a composite's. `made_of` are the types of those fields, a
    domain's base type, a range's subtype, a multirange's range.
    """

    kind: str  # ENUM, COMPOSITE, DOMAIN, or another pg_type.typtype
    name: str  # without its schema
    extension: str | None
    labels: tuple[str, ...]
    field_names: tuple[str, ...]
    made_of: tuple[TypeName, ...]

    @property
    def identity(self) -> tuple[str, str, str | None]:
        """What identifies it, whatever its schema."""
        return self.kind, self.name, self.extension

    @property
    def fields(self) -> str:
        """A composite type's fields, for a message."""
        return ", ".join(
            f"{name} {of.type}" for name, of in zip(self.field_names, self.made_of, strict=True)
        )


@dataclass(frozen=True, slots=True)
class SequenceUser:
    """A column that takes its numbers from a sequence.

    `root` is the oid of its table, or of the partitioned table where that is a partition.
    """

    root: int
    column: TableColumn


@dataclass(frozen=True, slots=True)
class Sequence:
    """A sequence, and the columns that own it or use it in their default.

    `owning_table`: the table of the column that owns it; both have the same owner.
    """

    name: Name
    users: tuple[SequenceUser, ...]
    owning_table: Name | None
    is_readable: bool
    may_alter: bool


@dataclass(frozen=True, slots=True)
class MissingRights:
    """A table or a partition on which our role lacks rights that a sync may need there.

    `root` is the oid of the partitioned table if it is a partition, else its own.
    `has_foreign_triggers`: whether it has triggers or rules that must be disabled while rows are
    written, and another role owns it.
    """

    name: Name
    root: int
    is_partition: bool
    may_read: bool
    may_lock: bool
    has_foreign_triggers: bool


@dataclass(frozen=True, slots=True)
class ExtensionTable:
    """A table of an extension to which users may add rows (pg_extension.extconfig).

    `condition` selects the added rows: a WHERE clause in SQL, or "" for all. `may_read`: whether
    our role may read the whole table.
    """

    name: Name
    extension: str
    condition: str
    may_read: bool

    @property
    def key(self) -> tuple[str, str]:
        """What identifies it on both sides, whatever the extension's schema."""
        return self.extension, self.name.name


@dataclass(frozen=True, slots=True)
class Facts:
    """What is true of the database as a whole, and of our role there.

    `lower_case` is the collation whose rules convert an email address to lower case.
    """

    database: str
    role: str
    may_create_temporary: bool
    is_standby: bool
    large_objects: int
    extension_tables: tuple[ExtensionTable, ...]
    lower_case: str


@dataclass(frozen=True, slots=True)
class Catalog:
    """One side's catalog; two are equal if the schemas are, whatever the facts.

    `snapshot`: what a later `pg_current_snapshot()` is compared with, to see whether the catalog
    can have changed since; empty if that cannot be seen.
    """

    tables: dict[Name, Table]
    foreign_keys: tuple[ForeignKey, ...]
    sequences: tuple[Sequence, ...]
    casts: dict[tuple[str, str], bool]  # from and to base types; whether binary coercible
    types: dict[str, Type]
    facts: Facts = field(compare=False)
    missing_rights: tuple[MissingRights, ...] = ()  # read on the target only
    snapshot: str = field(default="", compare=False)

    @property
    def function_paths(self) -> list[str]:
        """The search paths for functions, of all tables."""
        return [table.function_path for table in self.tables.values()]


class Catalogs(NamedTuple):
    """Both sides' catalogs."""

    source: Catalog
    target: Catalog
