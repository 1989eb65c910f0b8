"""What a plan consists of: how each table is synced, what is left alone, what forbids the sync."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from psycopg2 import sql

from common.follow.followers import Follower
from common.postgres.foreign_keys import ForeignKey
from common.postgres.names import Name, TableColumn
from common.reports.notices import Notice
from db_sync.mask.kinds import MaskRule
from db_sync.plan.catalog import Catalogs, Table


@dataclass(frozen=True, slots=True)
class Mask:
    """How a column's values change on the source, in the query that reads them.

    `because` says where the rule comes from. `expression` is the SQL for the masked value of row
    `t`. `needed_bits`: how many of the digest it has, if values must stay unique. `is_present`, of
    an email's mask: the condition that the target's row `t` is masked by this rule and key.
    """

    rule: MaskRule
    because: str
    expression: sql.Composable
    needed_bits: int | None
    is_present: sql.Composable | None = None


@dataclass(frozen=True, slots=True)
class PlannedColumn:
    """A column that is copied, as the target has it.

    `conversion` is the SQL that converts the source's value, which {} stands for; None if no cast
    is needed. `is_binary`: whether the value may travel in COPY's binary format. `is_enum`: whether
    both sides' type is an enum, and no domain over one. With a `mask` the source's value is read
    through it, and the conversion is a part of it.

    A column that follows a sub column has a name `as_sent`, under which the target's rows have its
    value with production's subs (`rows_to_compare`). A sub column that others follow is
    `followed_as` texts, or as uuids, which a row gets that loses its sub, and never NULL.
    """

    name: str
    type: str
    base_type: str
    conversion: str | None
    is_binary: bool
    unique_keys: list[list[str]]
    is_required: bool
    is_enum: bool
    mask: Mask | None = None
    as_sent: str | None = None
    followed_as: Literal["text", "uuid"] | None = None


@dataclass(frozen=True, slots=True)
class WhileSame:
    """The columns that say whether a row belongs to the same person on both sides.

    They are compared as email addresses are. `collation` is the target's for lower case.
    """

    columns: tuple[str, ...]
    collation: str


@dataclass(frozen=True, slots=True)
class TablePlan:
    """How one table is synced.

    `source` and `target` are the two tables. `compared` are the columns whose values must be the
    source's, `kept` those of the keep rule, `own` those that only the target has. A kept or own
    column in `while_same` belongs to a person: a row keeps its value as long as the columns named
    there are the same on both sides. A column of the key cannot be kept beside it: one in
    `keyed_by` is compared, and follows itself, with people found by the columns named there.
    """

    source: Table
    target: Table
    compared: tuple[PlannedColumn, ...]
    kept: tuple[PlannedColumn, ...]
    own: tuple[str, ...]
    while_same: Mapping[str, WhileSame] = field(default_factory=dict)
    keyed_by: Mapping[str, WhileSame] = field(default_factory=dict)

    @property
    def name(self) -> Name:
        """The table's name, the same on both sides."""
        return self.target.name

    @property
    def has_key(self) -> bool:
        """Whether rows are identified by a key whose columns are all compared."""
        names = {column.name for column in self.compared}
        return bool(self.target.key) and names.issuperset(self.target.key)

    @property
    def sent(self) -> tuple[PlannedColumn, ...]:
        """The columns whose values the source sends."""
        return self.compared + self.kept

    @property
    def masked(self) -> list[PlannedColumn]:
        """The columns whose values change on the way."""
        return [column for column in self.sent if column.mask]

    @property
    def target_values(self) -> tuple[str, ...]:
        """The columns whose values may be the target's own."""
        return (*self.own, *(column.name for column in self.kept))


@dataclass(frozen=True, slots=True)
class People:
    """The users of a sub column that others follow: each has a sub in production, and in staging.

    Both rows of a person have the same key; or, where the sub is the key, the same `found_by`.
    """

    users: TablePlan
    sub: PlannedColumn
    found_by: WhileSame | None = None

    @property
    def column(self) -> TableColumn:
        """The sub column."""
        return TableColumn(self.users.name, self.sub.name)


@dataclass(frozen=True, slots=True)
class MissingLabels:
    """Labels that the target's enum lacks: a mismatch only if rows of the source use them."""

    table: Table  # of the source
    column: str
    type: str
    is_array: bool
    labels: tuple[str, ...]


@dataclass(slots=True)
class Plan:
    """What the sync does, what it leaves alone and reports, and what forbids it.

    `catalogs` are what it was made from. `configuration_errors` are sentences about rules and
    rights, `schema_mismatches` about the two schemas, `mask_misfits` about masks that the schema
    does not allow: any of them forbids the sync. Whether rows use `missing_labels` is still to be
    looked up. `unmasked` are the columns that look personal and that no rule names, each with what
    looks so. `people` are the users of each sub column that others follow, and `followers` say of
    each of these what it follows, and why. `unchecked_keys` are foreign keys of the target that
    stay in place, and that somebody else checks.
    """

    catalogs: Catalogs
    tables: list[TablePlan] = field(default_factory=list)
    left_alone: dict[Name, str] = field(default_factory=dict)  # and why
    notices: list[Notice] = field(default_factory=list)
    configuration_errors: list[str] = field(default_factory=list)
    schema_mismatches: list[str] = field(default_factory=list)
    mask_misfits: list[str] = field(default_factory=list)
    missing_labels: list[MissingLabels] = field(default_factory=list)
    unmasked: dict[str, str] = field(default_factory=dict)
    people: tuple[People, ...] = ()
    followers: tuple[Follower, ...] = ()
    unchecked_keys: tuple[ForeignKey, ...] = ()

    @property
    def is_forbidden(self) -> bool:
        """Whether something is known that forbids the sync."""
        return bool(self.configuration_errors or self.schema_mismatches or self.mask_misfits)

    @property
    def masked_tables(self) -> list[TablePlan]:
        """The tables that have masked columns."""
        return [table for table in self.tables if table.masked]

    @property
    def masks_told(self) -> dict[str, str]:
        """The masked columns, each with its kind and where its rule comes from."""
        return {
            f"{table.name}.{column.name}": f"{column.mask.rule}, by {column.mask.because}"
            for table in self.tables
            for column in table.masked
            if column.mask
        }

    @property
    def followers_told(self) -> dict[str, str]:
        """The columns that follow, each with the sub column that it follows, and why."""
        return {str(each.column): f"{each.followed}, by {each.because}" for each in self.followers}

    @property
    def synced(self) -> set[int]:
        """The oids of the target's tables that are synced."""
        return {table.target.oid for table in self.tables}
