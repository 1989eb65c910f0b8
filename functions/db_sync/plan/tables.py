"""Both catalogs compared: every table is planned, and what speaks against it is collected."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from common.postgres.names import Name
from db_sync.plan.binary import is_binary
from db_sync.plan.catalog import Catalog, Column, Generation, Table
from db_sync.plan.conversions import find_conversion, is_of_a_time_zone
from db_sync.plan.defined_types import ENUM, are_same, find_other_fields, leaf
from db_sync.plan.migration_tables import migration_table
from db_sync.plan.rule_faults import void_rules
from db_sync.rules import KeptColumns, SyncRules

# Our sessions' time zone: a database's own would give another value each time that it is changed.
IN_UTC = ", taken for UTC, where ALTER TABLE would take the session's time zone"


@dataclass(frozen=True, slots=True)
class PlannedColumn:
    """A column that is copied: the target's, with the source's conversion if its type differs.

    `conversion` is SQL with {} for the source's value. `is_binary`: whether it may travel in
    COPY's binary form.
    """

    name: str
    type: str
    base_type: str
    conversion: str | None
    is_binary: bool
    unique_keys: list[list[str]]
    is_required: bool


@dataclass(frozen=True, slots=True)
class Person:
    """What makes a row the same person's on both sides: the columns, compared as addresses are.

    `collation` is the target's for lower case.
    """

    columns: tuple[str, ...]
    collation: str


@dataclass(frozen=True, slots=True)
class TablePlan:
    """How one table is synced.

    `compared` are the columns whose values must be the source's, `kept` those of the keep
    rule, `own` those that only the target has. Of the latter two, those in `while_same` belong to a
    person: a row holds its value as long as the columns named there are alike on both sides.
    `source` and `target` are the two tables.
    """

    source: Table
    target: Table
    compared: tuple[PlannedColumn, ...]
    kept: tuple[PlannedColumn, ...]
    own: tuple[str, ...]
    while_same: Mapping[str, Person] = field(default_factory=dict)

    @property
    def name(self) -> Name:
        """The table's name, the same on both sides."""
        return self.target.name

    @property
    def has_key(self) -> bool:
        """Whether rows can be told apart by key, on columns that are compared."""
        names = {column.name for column in self.compared}
        return bool(self.target.key) and names.issuperset(self.target.key)


@dataclass(frozen=True, slots=True)
class UnknownLabels:
    """Labels of an enum that the target lacks; no harm as long as no row uses them."""

    table: Table  # of the source
    column: str
    type: str
    is_array: bool
    labels: tuple[str, ...]


@dataclass(slots=True)
class Plan:
    """What the sync does, what it leaves behind and says so, and what speaks against it.

    `faults` are sentences about rules and rights, `misfits` about the two schemas; with one of
    either the plan may not be carried out. `unknown_labels` remain to be looked into.
    """

    tables: list[TablePlan] = field(default_factory=list)
    left_alone: dict[Name, str] = field(default_factory=dict)  # and why
    warnings: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    misfits: list[str] = field(default_factory=list)
    unknown_labels: list[UnknownLabels] = field(default_factory=list)


def make_plan(source: Catalog, target: Catalog, rules: SyncRules, *, dry_run: bool = False) -> Plan:
    """Plan every table; `require_fit` says whether the plan may be carried out."""
    plan = Plan(faults=void_rules(source, target, rules))
    for name in sorted(source.tables.keys() | target.tables.keys()):
        if why := _left_alone(name, source, target, rules, dry_run=dry_run):
            reason, is_expected = why
            plan.left_alone[name] = reason
            if not is_expected:
                plan.warnings.append(f"Table {name} is not synced: {reason}.")
        else:
            keep = rules.keep.get(name, {})
            planner = _TablePlanner(source, target, name, keep)
            plan.tables.append(planner.plan())
            plan.warnings += planner.warnings
            plan.misfits += planner.misfits
            plan.unknown_labels += planner.unknown_labels
    for table in source.facts.extension_tables + target.facts.extension_tables:
        is_excluded = table.name in rules.exclude
        reason = "excluded by a rule" if is_excluded else f"of the extension {table.extension}"
        plan.left_alone.setdefault(table.name, reason)
    if source.facts.large_objects:
        plan.warnings.append(
            f"The source has {source.facts.large_objects} large objects and the target"
            f" {target.facts.large_objects}: they are not copied, so that an oid of one may lead"
            " nowhere."
        )
    return plan


def _left_alone(
    name: Name, source: Catalog, target: Catalog, rules: SyncRules, *, dry_run: bool
) -> tuple[str, bool] | None:
    """Return why a table is not synced, and whether that is expected; None if it is synced."""
    if name in rules.exclude:
        return "excluded by a rule", True
    if why := migration_table(name, rules):
        return why
    ours, theirs = source.tables.get(name), target.tables.get(name)
    if ours is None or theirs is None:
        return f"it exists in the {'source' if ours else 'target'} only", False
    reasons = {
        "one of its partitions is a foreign table": (
            ours.has_foreign_partition or theirs.has_foreign_partition
        ),
        "it is unlogged, and the source is a standby, which has no rows of such a table": (
            ours.is_unlogged and source.facts.is_standby
        ),
        "row level security hides its rows from the target's role, and a dry run leaves it on": (
            theirs.rights.has_policies and dry_run
        ),
    }
    return next(((reason, False) for reason, applies in reasons.items() if applies), None)


class _TablePlanner:
    """Plans one table and collects what is wrong with it."""

    def __init__(self, source: Catalog, target: Catalog, name: Name, keep: KeptColumns) -> None:
        self.source = source.tables[name]
        self.target = target.tables[name]
        self.catalogs = (source, target)
        self.keep = keep
        self.warnings: list[str] = []
        self.misfits: list[str] = []
        self.unknown_labels: list[UnknownLabels] = []

    def plan(self) -> TablePlan:
        """Return the plan; `misfits` says whether it may be used."""
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
            while_same={
                column: Person(columns, self.catalogs[1].facts.lower_case)
                for column, columns in self.keep.items()
                if columns
            },
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
            if source is None:
                continue
            if target.generation:
                self._compare_generations(name, source.generation, target.generation)
                continue
            yield PlannedColumn(
                name,
                target.type,
                target.base_type,
                conversion := self._conversion(source, target),
                conversion is None and is_binary(source, target, *self.catalogs),
                target.unique_keys,
                target.is_required,
            )

    def _compare_generations(
        self, name: str, source: Generation | None, target: Generation
    ) -> None:
        where = f"Column {self.target.name}.{name} is generated"
        if source is None:
            self.warnings.append(f"{where} in the target only and is not copied.")
        elif source.sql != target.sql:
            self.warnings.append(
                f"{where} by different expressions in source and target; it holds what the target's"
                " gives."
            )

    def _own_columns(self) -> Iterator[str]:
        for name, column in self.target.columns.items():
            if name in self.source.columns or column.is_generated:
                continue
            if column.is_required and not column.has_default:
                self.misfits.append(
                    f"column {self.target.name}.{name} exists in the target only, is NOT NULL and"
                    " has no default"
                )
            yield name

    def _conversion(self, source: Column, target: Column) -> str | None:
        """Return what makes the target's type of the source's, None where the text will do."""
        where = f"{self.target.name}.{target.name}"
        conversion = find_conversion(source, target, *self.catalogs)
        if conversion is None:
            self.misfits.append(
                f"column {where} is {source.type} in the source and {target.type} in the target,"
                " and there is no assignment cast"
            )
        elif conversion or not are_same(source.base_type, target.base_type, *self.catalogs):
            in_utc = IN_UTC if is_of_a_time_zone(source, target, *self.catalogs) else ""
            self.warnings.append(
                f"Column {where} is converted from {source.type} to {target.type}{in_utc}."
            )
        self._compare_definitions(where, source, target)
        return conversion or None

    def _compare_definitions(self, where: str, source: Column, target: Column) -> None:
        """Find what hides behind one name on both sides: other labels, other fields."""
        ours, theirs = (
            leaf(column, catalog.types)
            for column, catalog in zip((source, target), self.catalogs, strict=True)
        )
        if not are_same(ours.base_type, theirs.base_type, *self.catalogs):
            return
        for name, mine, other in find_other_fields(
            ours.base_type, theirs.base_type, *self.catalogs
        ):
            self.misfits.append(
                f"column {where} is of the composite type {name}, which has the fields"
                f" {mine.fields} in the source and {other.fields} in the target"
            )
        before, after = (
            catalog.types.get(side.base_type)
            for side, catalog in zip((ours, theirs), self.catalogs, strict=True)
        )
        if before is None or after is None or before.kind != ENUM or after.kind != ENUM:
            return
        labels = tuple(label for label in before.labels if label not in after.labels)
        if labels and ours.arrays <= 1:
            self.unknown_labels.append(
                UnknownLabels(self.source, source.name, source.type, bool(ours.arrays), labels)
            )
