"""Columns that look personal: why, and whether somebody has decided about them."""

from collections.abc import Mapping

from common.errors import ConfigurationError
from common.follow.rules import FollowRules
from common.postgres.names import TableColumn
from db_sync.mask.kinds import MaskRule
from db_sync.mask.personal import FREE_TYPES, default_rules, kind_by_name
from db_sync.mask.rules import MaskRules
from db_sync.plan.catalog import COMPOSITE
from db_sync.plan.defined_types import ARRAY, without_domains
from db_sync.plan.mask_references import References
from db_sync.plan.tables import Plan, PlannedColumn, TablePlan


class Review:
    """Looks at the columns of a plan that have no mask."""

    def __init__(
        self,
        plan: Plan,
        rules: MaskRules,
        references: References,
        assigned: Mapping[TableColumn, object],
        follow: FollowRules,
    ) -> None:
        """Take the plan, its rules and references, the columns that have a mask by now, and others.

        Those are the columns that follow a sub.
        """
        self._types = plan.catalogs.target.types
        self._synced = {table.name for table in plan.tables}
        self._rules = rules
        self._references = references
        self._assigned = assigned
        self._follow = follow

    def undecided(self, table: TablePlan) -> list[PlannedColumn]:
        """Return the columns that have no mask, were not reviewed, and follow no other.

        Kept columns among them, since a new row brings production's value; but not those that are a
        person's, as the sub, nor those that hold what the sub does.
        """
        return [
            column
            for column in table.sent
            if column.name not in table.while_same
            for at in [TableColumn(table.name, column.name)]
            if not self._is_decided(at) and self._references.heads(at) == {at}
        ]

    def why_personal(self, table: TablePlan, column: PlannedColumn) -> str:
        """Return what about a column looks personal; nothing if it does not."""
        if kind_by_name(column.name):
            return "its name"
        at = TableColumn(table.name, column.name)
        for each in self._references.referring_to(at):
            if kind_by_name(each.column) and not self._is_decided(each):
                return f"the name of {each.table}.{each.column}, which refers to it"
        if why := self._why_copy(table, at):
            return why
        if self._is_free(table, column) and self._has_masks(table):
            return "its type, in a table with masks"
        return ""

    def bare_type(self, table: TablePlan, column: PlannedColumn) -> str:
        """Return a column's type without domains, or the schema of an extension's type."""
        name = self._without_domains(table, column)
        defined = self._types.get(name)
        return defined.name if defined and defined.extension else name

    def defaults(self, table: TablePlan, column: PlannedColumn) -> list[MaskRule]:
        """Return the masks to try for a column without a rule, the best first."""
        is_unique = table.target.columns[column.name].is_unique
        return default_rules(column.name, self.bare_type(table, column), is_unique=is_unique)

    def _is_decided(self, at: TableColumn) -> bool:
        return at in self._assigned or self._rules.is_reviewed(*at) or self._follows(at)

    def _follows(self, at: TableColumn) -> bool:
        try:
            rule = self._follow.rule_of(at)
        except ConfigurationError:  # the plan of what follows refuses it
            return False
        return rule is not None and rule.followed is not None

    def _why_copy(self, table: TablePlan, at: TableColumn) -> str:
        """Return why a column holds what a rule masks elsewhere; nothing if it does not."""
        for base in table.source.columns[at.column].computed_from:
            other = TableColumn(table.name, base)
            if other in self._assigned or (kind_by_name(base) and not self._is_decided(other)):
                return f"the source computes it from {base}"
        for parent in self._references.referred_to_by(at):
            if parent.table not in self._synced and self._rules.rule_of(*parent):
                return f"it refers to {parent.table}.{parent.column}, which a rule masks"
        return ""

    def _has_masks(self, table: TablePlan) -> bool:
        return any(TableColumn(table.name, each.name) in self._assigned for each in table.sent)

    def _is_free(self, table: TablePlan, column: PlannedColumn) -> bool:
        """Return whether a column's type often holds what people wrote, or several values."""
        type_ = self.bare_type(table, column)
        defined = self._types.get(self._without_domains(table, column))
        has_fields = defined is not None and defined.kind == COMPOSITE
        return type_ in FREE_TYPES or type_.endswith(ARRAY) or has_fields

    def _without_domains(self, table: TablePlan, column: PlannedColumn) -> str:
        return without_domains(table.target.columns[column.name], self._types).base_type
