"""The plan of one table, made by comparing its columns on both sides by name."""

from collections.abc import Iterator

from common.postgres.names import Name
from common.reports.notices import Notice, Topic
from db_sync.plan.binary import is_binary
from db_sync.plan.catalog import ENUM, Column, Generation
from db_sync.plan.conversions import depends_on_time_zone, find_conversion
from db_sync.plan.defined_types import (
    InnermostType,
    are_same,
    find_other_fields,
    innermost_type,
)
from db_sync.plan.tables import MissingLabels, Plan, PlannedColumn, TablePlan, WhileSame
from db_sync.rules import KeptColumns

# Our sessions' time zone. With a database's own, the values would differ once that is changed.
IN_UTC = " in UTC (ALTER TABLE would use the session's time zone)"


class TablePlanner:
    """Plans one table that both sides have, and adds what it finds to the plan of the sync."""

    def __init__(self, plan: Plan, name: Name, keep: KeptColumns) -> None:
        """Take the plan to add to, and the columns that a rule keeps on the target."""
        self._plan = plan
        self._catalogs = plan.catalogs
        self._source = plan.catalogs.source.tables[name]
        self._target = plan.catalogs.target.tables[name]
        in_key = {column for column in self._target.key if keep.get(column)}
        self._keep = {column: same for column, same in keep.items() if column not in in_key}
        self._keyed_by = {column: keep[column] for column in in_key}

    def add(self) -> None:
        """Add the table to the plan, with notices and whatever forbids it."""
        shared = list(self._shared_columns())
        own = tuple(self._own_columns())
        for name in sorted(self._source.columns.keys() - self._target.columns.keys()):
            self._note(
                f"Column {self._target.name}.{name} exists in the source only and is not copied."
            )
        collation = self._catalogs.target.facts.lower_case
        table = TablePlan(
            self._source,
            self._target,
            compared=tuple(column for column in shared if column.name not in self._keep),
            kept=tuple(column for column in shared if column.name in self._keep),
            own=own,
            while_same={
                column: WhileSame(columns, collation)
                for column, columns in self._keep.items()
                if columns
            },
            keyed_by={
                column: WhileSame(columns, collation) for column, columns in self._keyed_by.items()
            },
        )
        self._plan.tables.append(table)
        if table.target_values and not table.has_key:
            self._plan.notices.append(
                Notice(
                    f"Table {table.name} has no key: when it differs all its rows are replaced, and"
                    f" the target's own values in {', '.join(table.target_values)} are lost."
                )
            )

    def _note(self, difference: str) -> None:
        self._plan.notices.append(Notice(difference, Topic.SCHEMA))

    def _refuse(self, mismatch: str) -> None:
        self._plan.schema_mismatches.append(mismatch)

    def _shared_columns(self) -> Iterator[PlannedColumn]:
        for name, target in self._target.columns.items():
            source = self._source.columns.get(name)
            if source is None:
                continue
            if target.generation:
                self._compare_generations(name, source.generation, target.generation)
                continue
            conversion = self._conversion(source, target)
            self._compare_definitions(source, target)
            yield PlannedColumn(
                name,
                target.type,
                target.base_type,
                conversion,
                conversion is None and is_binary(source, target, self._catalogs),
                target.unique_keys,
                target.is_required,
                self._are_enums(source, target),
            )

    def _are_enums(self, source: Column, target: Column) -> bool:
        ours = self._catalogs.source.types.get(source.base_type)
        theirs = self._catalogs.target.types.get(target.base_type)
        return ours is not None and theirs is not None and ours.kind == theirs.kind == ENUM

    def _compare_generations(
        self, name: str, source: Generation | None, target: Generation
    ) -> None:
        where = f"Column {self._target.name}.{name} is generated"
        if source is None:
            self._note(f"{where} in the target only and is not copied.")
        elif source.sql != target.sql:
            self._note(
                f"{where} by different expressions in source and target; its values are those of"
                " the target's."
            )

    def _own_columns(self) -> Iterator[str]:
        for name, column in self._target.columns.items():
            if name in self._source.columns or column.is_generated:
                continue
            if column.is_required and not column.has_default:
                self._refuse(
                    f"column {self._target.name}.{name} exists in the target only, is NOT NULL and"
                    " has no default"
                )
            yield name

    def _conversion(self, source: Column, target: Column) -> str | None:
        """Return the SQL that converts to the target's type; None if no cast is needed."""
        where = f"{self._target.name}.{target.name}"
        conversion = find_conversion(source, target, self._catalogs)
        if conversion is None:
            self._refuse(
                f"column {where} is {source.type} in the source and {target.type} in the target,"
                " and there is no assignment cast"
            )
        elif conversion or not are_same(source.base_type, target.base_type, self._catalogs):
            in_utc = IN_UTC if depends_on_time_zone(source, target, self._catalogs) else ""
            self._note(f"Column {where} is converted from {source.type} to {target.type}{in_utc}.")
        return conversion or None

    def _compare_definitions(self, source: Column, target: Column) -> None:
        """Compare the fields and labels of types that are otherwise the same."""
        in_source = innermost_type(source, self._catalogs.source.types)
        in_target = innermost_type(target, self._catalogs.target.types)
        if are_same(in_source.base_type, in_target.base_type, self._catalogs):
            self._compare_fields(target.name, in_source, in_target)
            self._compare_labels(source, in_source, in_target)

    def _compare_fields(
        self, column: str, in_source: InnermostType, in_target: InnermostType
    ) -> None:
        for name, ours, theirs in find_other_fields(
            in_source.base_type, in_target.base_type, self._catalogs
        ):
            self._refuse(
                f"column {self._target.name}.{column} is of the composite type {name}, which has"
                f" the fields {ours.fields} in the source and {theirs.fields} in the target"
            )

    def _compare_labels(
        self, column: Column, in_source: InnermostType, in_target: InnermostType
    ) -> None:
        ours = self._catalogs.source.types.get(in_source.base_type)
        theirs = self._catalogs.target.types.get(in_target.base_type)
        if ours is None or theirs is None or not ours.kind == theirs.kind == ENUM:
            return
        labels = tuple(label for label in ours.labels if label not in theirs.labels)
        if labels and in_source.array_levels <= 1:
            self._plan.missing_labels.append(
                MissingLabels(
                    self._source, column.name, column.type, bool(in_source.array_levels), labels
                )
            )
