"""Both catalogs compared: every table is planned, or refused, before the first write."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from common.errors import ConfigurationError, SchemaMismatch
from common.names import Name
from db_sync.catalog import Catalog, Column, Table
from db_sync.rules import SyncRules

# These tables tell the migration tools what was applied to *this* database.
MIGRATION_TABLES = frozenset(
    {
        "alembic_version",
        "django_migrations",
        "schema_migrations",
        "ar_internal_metadata",
        "flyway_schema_history",
        "databasechangelog",
        "databasechangeloglock",
        "_prisma_migrations",
        "knex_migrations",
        "knex_migrations_lock",
        "goose_db_version",
        "SequelizeMeta",
        "__EFMigrationsHistory",
    }
)
JSON_TYPES = frozenset({"json", "jsonb"})
JSON_CATEGORIES = frozenset("ANBC")  # pg_type.typcategory: array, number, boolean, composite
# Types whose modifier rounds a value; that of any other limits its length.
ROUNDED_TYPES = frozenset(
    {
        "interval",
        "numeric",
        "time with time zone",
        "time without time zone",
        "timestamp with time zone",
        "timestamp without time zone",
    }
)
STRING_TYPES = frozenset({"text", "character varying", "character"})


@dataclass(frozen=True, slots=True)
class PlannedColumn:
    """A column that is copied: the target's, with the source's conversion if its type differs.

    `conversion` is SQL with {} for the source's value.
    """

    name: str
    type: str
    base_type: str
    conversion: str | None
    is_unique: bool
    is_required: bool


@dataclass(frozen=True, slots=True)
class TablePlan:
    """How one table is synced.

    `compared` are the columns whose values must be the source's, `kept` those of the keep
    rule, `own` those that only the target has. `source` and `target` are the two tables.
    """

    source: Table
    target: Table
    compared: tuple[PlannedColumn, ...]
    kept: tuple[PlannedColumn, ...]
    own: tuple[str, ...]

    @property
    def name(self) -> Name:
        """The table's name, the same on both sides."""
        return self.target.name

    @property
    def has_key(self) -> bool:
        """Whether rows can be told apart by key, on columns that are compared."""
        names = {column.name for column in self.compared}
        return bool(self.target.key) and names.issuperset(self.target.key)


@dataclass(slots=True)
class Plan:
    """What the sync does, and what it leaves behind and says so."""

    tables: list[TablePlan] = field(default_factory=list)
    left_alone: dict[Name, str] = field(default_factory=dict)  # and why
    warnings: list[str] = field(default_factory=list)


def make_plan(source: Catalog, target: Catalog, rules: SyncRules) -> Plan:
    """Plan every table.

    Raises:
        ConfigurationError: a rule names a table or column that does not exist.
        SchemaMismatch: the catalogs cannot be reconciled; lists every reason.
    """
    _check_rules(source, target, rules)
    plan = Plan()
    reasons: list[str] = []
    for name in sorted(source.tables.keys() | target.tables.keys()):
        if why := _left_alone(name, source, target, rules):
            reason, is_expected = why
            plan.left_alone[name] = reason
            if not is_expected:
                plan.warnings.append(f"Table {name} is not synced: {reason}.")
        else:
            keep = rules.keep.get(name, frozenset())
            table = _TablePlanner(source, target, name, keep)
            plan.tables.append(table.plan())
            plan.warnings += table.warnings
            reasons += table.reasons
    if reasons:
        raise SchemaMismatch(
            f"Source and target do not fit together: {'; '.join(reasons)}. Bring both to the same"
            " migration, or exclude the tables. Nothing was written."
        )
    return plan


def _check_rules(source: Catalog, target: Catalog, rules: SyncRules) -> None:
    """Refuse rules about what does not exist: a misspelt one would be silently void."""
    missing = [
        f'table {name} of the "exclude" rule exists on neither side'
        for name in sorted(rules.exclude)
        if name not in source.tables and name not in target.tables
    ]
    for name, columns in sorted(rules.keep.items()):
        if name not in target.tables:
            missing.append(f'table {name} of the "keep" rule does not exist on the target')
            continue
        missing += [
            f'column {name}.{column} of the "keep" rule does not exist on the target'
            for column in sorted(columns - target.tables[name].columns.keys())
        ]
    if missing:
        raise ConfigurationError(
            f"The sync rules do not fit: {'; '.join(missing)}. Correct the rules (or USERS_TABLE"
            " and SUB_COLUMN, from which one is made). Nothing was written."
        )


def _left_alone(
    name: Name, source: Catalog, target: Catalog, rules: SyncRules
) -> tuple[str, bool] | None:
    """Return why a table is not synced, and whether that is expected; None if it is synced."""
    if name in rules.exclude:
        return "excluded by a rule", True
    if name.name in MIGRATION_TABLES:
        return "it belongs to a migration tool", True
    if name not in target.tables:
        return "it exists in the source only", False
    if name not in source.tables:
        return "it exists in the target only", False
    if target.tables[name].has_foreign_partition or source.tables[name].has_foreign_partition:
        return "one of its partitions is a foreign table", False
    return None


class _TablePlanner:
    """Plans one table and collects what is wrong with it."""

    def __init__(self, source: Catalog, target: Catalog, name: Name, keep: frozenset[str]) -> None:
        self.source = source.tables[name]
        self.target = target.tables[name]
        self.casts = source.casts
        self.keep = keep
        self.warnings: list[str] = []
        self.reasons: list[str] = []

    def plan(self) -> TablePlan:
        """Return the plan; `reasons` says whether it may be used."""
        shared = list(self._shared_columns())
        own = tuple(self._own_columns())
        for name in sorted(self.source.columns.keys() - self.target.columns.keys()):
            self.warnings.append(
                f"Column {self.target.name}.{name} exists in the source only and is not copied."
            )
        plan = TablePlan(
            self.source,
            self.target,
            compared=tuple(column for column in shared if column.name not in self.keep),
            kept=tuple(column for column in shared if column.name in self.keep),
            own=own,
        )
        if not plan.has_key and (plan.own or plan.kept):
            names = ", ".join([*own, *(column.name for column in plan.kept)])
            self.warnings.append(
                f"Table {plan.name} has no key, so that it is copied whole when it differs and"
                f" the target's own values in {names} are lost."
            )
        return plan

    def _shared_columns(self) -> Iterator[PlannedColumn]:
        for name, target in self.target.columns.items():
            source = self.source.columns.get(name)
            if source is None or target.is_generated:
                continue
            yield PlannedColumn(
                name,
                target.type,
                target.base_type,
                self._conversion(source, target),
                target.is_unique,
                target.is_required,
            )

    def _own_columns(self) -> Iterator[str]:
        for name, column in self.target.columns.items():
            if name in self.source.columns or column.is_generated:
                continue
            if column.is_required and not column.has_default:
                self.reasons.append(
                    f"column {self.target.name}.{name} exists in the target only, is NOT NULL and"
                    " has no default"
                )
            yield name

    def _conversion(self, source: Column, target: Column) -> str | None:
        """Return what makes the target's type of the source's, None where the text will do."""
        if source.type == target.type:
            return None
        where = f"{self.target.name}.{target.name}"
        if source.base_type == target.base_type and target.base_type not in ROUNDED_TYPES:
            # Not cast to its length: an explicit cast would cut a longer value in silence,
            # where the target's own check refuses it.
            return None
        conversion = self._cast(source, target)
        if conversion:
            self.warnings.append(
                f"Column {where} is converted from {source.type} to {target.type}."
            )
        else:
            self.reasons.append(
                f"column {where} is {source.type} in the source and {target.type} in the target,"
                " and there is no assignment cast"
            )
        return conversion

    def _cast(self, source: Column, target: Column) -> str | None:
        """Return the SQL that converts one type to another, None if there is none."""
        if target.base_type in STRING_TYPES:
            return "CAST({} AS text)"
        if target.base_type in JSON_TYPES and source.category in JSON_CATEGORIES:
            return f"CAST(to_jsonb({{}}) AS {target.base_type})"
        if target.base_type in JSON_TYPES and source.base_type in STRING_TYPES:
            return f"CAST({{}} AS {target.base_type})"
        if source.base_type == target.base_type or (
            (source.base_type, target.base_type) in self.casts
        ):
            # format_type quotes the type's name; braces in it would be placeholders.
            return f"CAST({{}} AS {target.type.replace('{', '{{').replace('}', '}}')})"
        return None
