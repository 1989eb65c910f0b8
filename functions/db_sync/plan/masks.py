"""Puts the masks into a plan: which column is masked by which rule, and what speaks against it."""

import json
from dataclasses import replace
from typing import NamedTuple

from common.follow.followers import Reference
from common.follow.rules import FollowRules
from common.masking.keys import MaskKey
from common.postgres.names import TableColumn, join_name
from common.reports.notices import Notice, Topic
from db_sync.mask.kinds import CONSTANT, KEYED, MaskRule
from db_sync.mask.rules import MaskRules
from db_sync.plan.mask_fitting import MaskedColumn
from db_sync.plan.mask_references import References, ancestors, why_unlike
from db_sync.plan.mask_review import Review
from db_sync.plan.tables import Mask, Plan, PlannedColumn, TablePlan

# Stands for the tag of a key that is missing; the sync is refused.
NO_TAG = ""


class Assigned(NamedTuple):
    """A column's rule, and where it comes from, for the report.

    `is_explicit`: the team wrote it, for this column or in a pattern.
    """

    rule: MaskRule
    because: str
    is_explicit: bool


def plan_masks(plan: Plan, rules: MaskRules, follow: FollowRules, key: MaskKey | None) -> None:
    """Put masks into the plan's tables, with notices and whatever forbids the sync."""
    if rules:
        MaskPlanner(plan, rules, follow, key).add()


class MaskPlanner:
    """Assigns the rules to the columns of all tables, and then builds each column's mask.

    Attributes:
        assigned: the rule of each column that is masked.
        review: which of the others look personal.
    """

    def __init__(
        self, plan: Plan, rules: MaskRules, follow: FollowRules, key: MaskKey | None
    ) -> None:
        self._plan = plan
        self._rules = rules
        self._key = key
        self._tables = {table.name: table for table in plan.tables}
        self._references = References(plan)
        self.assigned: dict[TableColumn, Assigned] = {}
        self.review = Review(plan, rules, self._references, self.assigned, follow)

    def add(self) -> None:
        """Put the masks into the plan, with notices and whatever forbids the sync."""
        self._check_names()
        self.assign()
        self._look_at_others()
        self.follow_keys()
        self._require_alike()
        self._check_persons()
        self._check_key()
        self._plan.tables[:] = [self.masked(table) for table in self._plan.tables]
        self._forget_labels()

    def assign(self) -> None:
        """Give columns the rules that name them, and those of the columns that they refer to."""
        for table in self._plan.tables:
            self._assign(table)
        for table in self._plan.tables:
            self._inherit(table)
        self.follow_keys()

    def _refuse(self, column: TableColumn, why: str) -> None:
        self._plan.mask_misfits.append(f"{column.table}.{column.column} cannot be masked: {why}")

    def _check_names(self) -> None:
        """Refuse rules that name nothing, and those that name a generated column."""
        columns = [
            (table.name, column)
            for catalog in self._plan.catalogs
            for table in catalog.tables.values()
            for column in table.columns
        ]
        self._plan.mask_misfits += self._rules.unmatched(columns)
        for table in self._plan.tables:
            for column in table.target.columns.values():
                found = self._rules.rule_of(table.name, column.name)
                if column.is_generated and found and found[0].is_exact:
                    self._refuse(
                        TableColumn(table.name, column.name),
                        "it is generated; mask the columns that it is computed from",
                    )

    def _assign(self, table: TablePlan) -> None:
        for column in table.sent:
            if found := self._rules.rule_of(table.name, column.name):
                pattern, rule = found
                self.assigned[TableColumn(table.name, column.name)] = Assigned(
                    rule, f'the rule "{pattern.text}"', is_explicit=True
                )

    def _inherit(self, table: TablePlan) -> None:
        """Give columns the rules of the same columns in tables that they are inherited from.

        Who reads such a table reads the rows of those that inherit from it.
        """
        for parent in ancestors(table.source, self._plan.catalogs.source):
            for column in table.sent:
                at = TableColumn(table.name, column.name)
                found = self._rules.rule_of(parent.name, column.name)
                if found and column.name in parent.columns and at not in self.assigned:
                    because = f"the table {parent.name}, from which it is inherited"
                    self.assigned[at] = Assigned(found[1], because, is_explicit=False)

    def follow_keys(self) -> None:
        """Give columns the masks of the columns that they refer to, over any number of keys."""
        is_changed = True
        while is_changed:
            is_changed = False
            for key, child, parent in self._references.all:
                if parent in self.assigned and child not in self.assigned:
                    self.assigned[child] = Assigned(
                        self.assigned[parent].rule,
                        f"the foreign key {key} to {parent.table}.{parent.column}",
                        is_explicit=False,
                    )
                    is_changed = True

    def _require_alike(self) -> None:
        """Refuse masks by which a row would no longer refer to its parent."""
        for key, child, parent in self._references.all:
            ours, theirs = self.assigned.get(child), self.assigned.get(parent)
            if ours is None or ours.rule.kind == "null":
                continue  # where the parent is masked the child is, since it follows
            if theirs is None or ours.rule != theirs.rule:
                self._refuse(
                    child,
                    f"the foreign key {key} refers to {parent.table}.{parent.column}, which"
                    f" {'is not masked' if theirs is None else 'another rule masks'}; give both"
                    " columns the same rule",
                )
            elif why := why_unlike(self._column(child), self._column(parent)):
                self._refuse(
                    child,
                    f"it and {parent.table}.{parent.column}, to which the foreign key {key}"
                    f" refers, {why}, so that their masks would differ",
                )

    @property
    def references(self) -> tuple[Reference, ...]:
        """The foreign keys of columns that are synced."""
        return self._references.all

    def _column(self, column: TableColumn) -> MaskedColumn:
        table = self._tables[column.table]
        (planned,) = (each for each in table.sent if each.name == column.column)
        return self.with_rule(table, planned, self.assigned[column].rule)

    def with_rule(self, table: TablePlan, column: PlannedColumn, rule: MaskRule) -> MaskedColumn:
        """Return a column with a rule, which may not hold for it."""
        tag = self._key.tag if self._key else NO_TAG
        return MaskedColumn(table, column, rule, self._plan.catalogs, tag)

    def _look_at_others(self) -> None:
        """Find the columns that look personal and that nobody has decided about."""
        for table in self._plan.tables:
            found = [
                (column, why)
                for column in self.review.undecided(table)
                if (why := self.review.why_personal(table, column))
            ]
            if found and self._rules.unreviewed == "mask":
                for column, _ in found:
                    self._mask_by_default(table, column)
            elif found:
                for column, why in found:
                    self._plan.unmasked[f"{table.name}.{column.name}"] = why
                self._tell(table, [column for column, _ in found])

    def _tell(self, table: TablePlan, columns: list[PlannedColumn]) -> None:
        sentence = (
            f'Columns of {table.name} look personal, and neither a rule of "mask" nor "reviewed"'
            f" names them: {', '.join(each.name for each in columns)}. Add each to one of the two."
        )
        if self._rules.unreviewed == "fail":
            self._plan.configuration_errors.append(f"{sentence} Nothing was copied.")
        else:
            self._plan.notices.append(
                Notice(sentence, Topic.PERSONAL_DATA, self._proposed(table, columns))
            )

    def _proposed(self, table: TablePlan, columns: list[PlannedColumn]) -> str:
        """Return rules for columns, as JSON: the first default that holds for each."""
        masks = {
            join_name(*table.name, column.name): rule.as_json()
            for column in columns
            if (rule := self._default(table, column))
        }
        return json.dumps({"mask": masks}, ensure_ascii=False) if masks else ""

    def _default(self, table: TablePlan, column: PlannedColumn) -> MaskRule | None:
        """Return the first default that holds for a column; None if none does."""
        for rule in self.review.defaults(table, column):
            if not any(self.with_rule(table, column, rule).misfits()):
                return rule
        return None

    def _mask_by_default(self, table: TablePlan, column: PlannedColumn) -> None:
        """Mask a column by the first default that holds for it."""
        at = TableColumn(table.name, column.name)
        if rule := self._default(table, column):
            self.assigned[at] = Assigned(
                rule, "the default for columns that were not reviewed", is_explicit=False
            )
            return
        self._refuse(
            at,
            "it looks personal, and no default holds for it; give it a rule, or name it in"
            ' "reviewed"',
        )

    def _check_persons(self) -> None:
        """Refuse masks by which a person's row could not be told from another's."""
        for table in self._plan.tables:
            for name in sorted(
                {each for same in table.while_same.values() for each in same.columns}
            ):
                found = self.assigned.get(TableColumn(table.name, name))
                if found is None or (found.rule.kind == "email" and found.is_explicit):
                    continue
                self._plan.configuration_errors.append(
                    f"{table.name}.{name} is masked by {found.because} as {found.rule}. It tells"
                    ' whose row is whose ("while_same"), so it may have a rule of its own of the'
                    ' kind "email" only, or none: then name it in "reviewed".'
                )

    def _check_key(self) -> None:
        kinds = {kind for each in self.assigned.values() for kind in each.rule.kinds}
        if kinds & KEYED and self._key is None:
            self._plan.configuration_errors.append(
                'The rule "mask" needs a key: for the Lambda set mask_key_secret_arn in cdk.json'
                " (MASK_KEY_SECRET_ARN), for the command the variable MASK_KEY. Create one with:"
                " openssl rand -hex 32"
            )

    def masked(self, table: TablePlan) -> TablePlan:
        """Return a table with the masks of its columns."""
        return replace(
            table,
            compared=tuple(self._with_mask(table, column) for column in table.compared),
            kept=tuple(self._with_mask(table, column) for column in table.kept),
        )

    def _forget_labels(self) -> None:
        """Leave out labels that the target's enums lack where no row's own value arrives."""
        constant = {at for at, each in self.assigned.items() if each.rule.kind in CONSTANT}
        self._plan.missing_labels[:] = [
            each
            for each in self._plan.missing_labels
            if TableColumn(each.table.name, each.column) not in constant
        ]

    def _with_mask(self, table: TablePlan, column: PlannedColumn) -> PlannedColumn:
        at = TableColumn(table.name, column.name)
        found = self.assigned.get(at)
        if found is None:
            return column
        masked = self.with_rule(table, column, found.rule)
        misfits = list(masked.misfits())
        if misfits:
            for why in misfits:
                self._refuse(at, f"{found.because} is of the kind {found.rule}, but {why}")
            return column
        mask = Mask(
            rule=found.rule,
            because=found.because,
            expression=masked.expression(),
            needed_bits=masked.bits if masked.is_unique and found.rule.kind != "null" else None,
            is_present=masked.is_present() if found.rule.kind == "email" else None,
        )
        return replace(column, mask=mask)
