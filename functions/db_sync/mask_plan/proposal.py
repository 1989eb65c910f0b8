"""Which masks are proposed: for each column that looks personal the first kind that holds."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from common.follow.rules import FollowRules
from common.masking.keys import MaskKey
from common.postgres.names import TableColumn
from db_sync.mask.kinds import MaskRule
from db_sync.mask.rules import MaskRules
from db_sync.mask_plan.sample import Samples
from db_sync.plan.catalog import ENUM
from db_sync.plan.mask_fitting import bits_to_stay_unique
from db_sync.plan.mask_references import why_unlike
from db_sync.plan.masks import Assigned, MaskPlanner
from db_sync.plan.tables import Plan, PlannedColumn, TablePlan

MANY = 10**9  # rows of a table that could not be looked at
BOOLEAN = "boolean"
NAME = "name"  # a column, and a kind of mask


@dataclass(slots=True)
class Proposal:
    """What is proposed, by column: masks with why, what only says yes or no, what no mask fits.

    `masks` has the columns that are to be named in "mask", `reviewed` those for "reviewed", and
    `undecidable` those that a person must decide about.
    """

    masks: dict[TableColumn, Assigned] = field(default_factory=dict)
    reviewed: dict[TableColumn, str] = field(default_factory=dict)
    undecidable: dict[TableColumn, str] = field(default_factory=dict)


@dataclass(slots=True)
class Proposer:
    """Proposes masks; those that a trial has rejected are not proposed again.

    `rows` are the tables' estimated ones, by oid. `rejected` holds pairs of a column and the kind
    that does not hold for it.
    """

    plan: Plan
    rules: MaskRules
    follow: FollowRules
    key: MaskKey
    rows: Mapping[int, int]
    samples: Samples
    rejected: set[tuple[TableColumn, str]] = field(default_factory=set)

    def propose(self) -> Proposal:
        """Return a mask for each column that looks personal and that nobody has decided about.

        A mask makes other columns of its table, and those that refer to it, look personal.
        """
        return _Round(self).propose()


class _Round:
    """One proposal, from the rules on."""

    def __init__(self, given: Proposer) -> None:
        self._given = given
        self._planner = MaskPlanner(given.plan, given.rules, given.follow, given.key)
        self._proposal = Proposal()
        self._tables = {table.name: table for table in given.plan.tables}
        self._columns = {
            TableColumn(table.name, column.name): column
            for table in given.plan.tables
            for column in table.sent
        }
        self._children: dict[TableColumn, list[TableColumn]] = {}
        for _, child, parent in self._planner.references:
            self._children.setdefault(parent, []).append(child)
        self._persons = {
            TableColumn(table.name, name)
            for table in given.plan.tables
            for same in table.while_same.values()
            for name in same.columns
        }

    def propose(self) -> Proposal:
        self._planner.assign()
        while self._add_more():
            self._planner.follow_keys()
        return self._proposal

    def _add_more(self) -> bool:
        """Propose what looks personal now; return whether there was anything."""
        is_more = False
        for table in self._given.plan.tables:
            for column in self._planner.review.undecided(table):
                at = TableColumn(table.name, column.name)
                if at in self._proposal.reviewed or at in self._proposal.undecidable:
                    continue
                if why := self._why(table, column):
                    self._decide(table, column, why)
                    is_more = True
        return is_more

    def _why(self, table: TablePlan, column: PlannedColumn) -> str:
        at = TableColumn(table.name, column.name)
        samples = self._given.samples
        if found := samples.findings.get(at):
            return found.why
        if inside := samples.json.get(at):
            if inside.is_hopeless:
                return "its keys or whole values look personal"
            if inside.masks:
                return "names or values in it"
        return self._planner.review.why_personal(table, column)

    def _decide(self, table: TablePlan, column: PlannedColumn, why: str) -> None:
        at = TableColumn(table.name, column.name)
        if self._planner.review.bare_type(table, column) == BOOLEAN:
            self._proposal.reviewed[at] = f"{why}, but it says only yes or no"
            return
        for rule in self._candidates(table, column):
            if self._holds(at, rule):
                proposed = Assigned(rule, f"looks personal: {why}", is_explicit=True)
                self._planner.assigned[at] = self._proposal.masks[at] = proposed
                return
        self._proposal.undecidable[at] = f"looks personal: {why}; no mask holds, decide yourself"

    def _candidates(self, table: TablePlan, column: PlannedColumn) -> Iterator[MaskRule]:
        """Yield the masks to try for a column, the best first."""
        at = TableColumn(table.name, column.name)
        if at in self._persons:  # by any other mask nobody would be found
            yield MaskRule("email")
            return
        if found := self._given.samples.findings.get(at):
            yield MaskRule(found.kind)
        if (inside := self._given.samples.json.get(at)) and inside.rule:
            yield inside.rule
        if column.name.lower() == NAME:  # of a person or of anything: its table has masks
            yield MaskRule(NAME)
        yield from self._planner.review.defaults(table, column)
        yield MaskRule("null")
        defined = self._given.plan.catalogs.source.types.get(column.base_type)
        if defined and defined.kind == ENUM and defined.labels:
            yield MaskRule("fixed", {"value": defined.labels[0]})

    def _holds(self, at: TableColumn, rule: MaskRule) -> bool:
        """Return whether a mask holds for a column, and for all that refer to it."""
        family = self._family(at)
        column, *others = (self._planner.with_rule(*self._found(each), rule) for each in family)
        return (
            all(self._fits(each, rule) for each in family)
            and not any(why_unlike(other, column) for other in others)
            and (rule.kind == "null" or not self._has_other_parents(family, rule))
        )

    def _has_other_parents(self, family: list[TableColumn], rule: MaskRule) -> bool:
        """Return whether one of the columns refers to another one too, which has not this mask."""
        return any(
            reference.child in family
            and reference.parent not in family
            and not self._has_rule(reference.parent, rule)
            for reference in self._planner.references
        )

    def _has_rule(self, at: TableColumn, rule: MaskRule) -> bool:
        ruled = self._planner.assigned.get(at)
        return ruled is not None and ruled.rule == rule

    def _family(self, at: TableColumn) -> list[TableColumn]:
        """Return a column with those that refer to it, over any number of keys."""
        family = [at]
        for member in family:  # grows meanwhile
            family += [child for child in self._children.get(member, []) if child not in family]
        return family

    def _found(self, at: TableColumn) -> tuple[TablePlan, PlannedColumn]:
        return self._tables[at.table], self._columns[at]

    def _fits(self, at: TableColumn, rule: MaskRule) -> bool:
        table, column = self._found(at)
        masked = self._planner.with_rule(table, column, rule)
        if (at, rule.kind) in self._given.rejected or any(masked.misfits()):
            return False
        if at in self._persons and rule.kind != "email":
            return False
        if at in self._planner.assigned and not self._has_rule(at, rule):
            return False
        needed = bits_to_stay_unique(self._given.rows.get(table.source.oid, MANY))
        return not masked.is_unique or rule.kind == "null" or masked.bits >= needed
