"""Plans the masks of a source: what is proposed, and what the sync would make of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from common.errors import OutOfTime
from common.follow.rules import FollowRules
from common.masking.keys import MaskKey, hand_over
from common.postgres.database import Session
from common.postgres.names import Name, TableColumn, join_name
from common.postgres.settings.function_names import find_names
from db_sync.mask.kinds import KEYED, MaskRule
from db_sync.mask.rules import MaskRules
from db_sync.mask_plan.following import Following, propose_followers
from db_sync.mask_plan.proposal import Proposal, Proposer
from db_sync.mask_plan.sample import Sampler, Samples, readable
from db_sync.mask_plan.trial import Trial, Tried
from db_sync.plan.catalog import Catalogs
from db_sync.plan.catalog_reading import read_catalog
from db_sync.plan.masks import MaskPlanner, plan_masks
from db_sync.plan.planning import plan_tables
from db_sync.plan.table_locks import read_through_policies
from db_sync.plan.tables import Plan, TablePlan
from db_sync.planner import prepare
from db_sync.rules import SyncRules
from db_sync.run import Progress, no_progress

type Rules = dict[str, Any]  # the JSON object of --rules


@dataclass(frozen=True, slots=True)
class MaskPlan:
    """The proposed rules, and what they make of the source.

    `plan` is the sync's, by the proposed rules; `tried` what became of its masks on samples;
    `unread` the tables that could not be looked at, and why; `following` what follows a sub.
    """

    rules: Rules
    given: MaskRules
    plan: Plan
    proposal: Proposal
    samples: Samples
    tried: Mapping[Name, Tried]
    unread: Mapping[Name, str]
    following: Following

    @property
    def problems(self) -> list[str]:
        """What the sync would refuse or warn of, as far as masks are concerned."""
        broken = [
            f"{table}.{column} has a mask that does not hold: {why}"
            for table, tried in self.tried.items()
            for column, why in tried.broken.items()
        ]
        return self.plan.configuration_errors + self.plan.mask_misfits + broken


@dataclass(slots=True)
class _Planning:
    """Looks at the source and proposes, until the proposed masks hold on the samples."""

    source: Session
    raw: Rules
    plan: Plan
    following: Following
    proposer: Proposer
    trial: Trial
    tables: frozenset[Name]  # that can be looked at
    progress: Progress
    tried: dict[Name, tuple[TablePlan, Tried]] = field(default_factory=dict)

    def until_they_hold(self) -> tuple[Rules, Plan, Proposal]:
        """Return the rules, the plan that they make, and what was added to them."""
        while True:
            proposal = self.proposer.propose()
            rules = _with_proposal(self.raw, proposal, self.following)
            masks, follow = MaskRules.parse(rules), self.following.parsed
            plan = _planned(self.plan, masks, follow, self.proposer.key)
            if not self._reject(plan):
                return rules, plan, proposal

    def _reject(self, plan: Plan) -> bool:
        """Try the masks, and reject proposals that do not hold; return whether there are any."""
        before = len(self.proposer.rejected)
        tables = [table for table in plan.masked_tables if table.name in self.tables]
        for done, table in enumerate(tables):
            self.progress("try", done, len(tables))
            for column in self._try(table):
                (mask,) = (each.mask for each in table.masked if each.name == column)
                if mask:
                    at = TableColumn(table.name, column)
                    self.proposer.rejected.add((at, mask.rule.kind))
        self.progress("try", len(tables), len(tables))
        return len(self.proposer.rejected) > before

    def _try(self, table: TablePlan) -> Mapping[str, str]:
        """Return the columns whose masks do not hold, with why."""
        before = self.tried.get(table.name)
        if before and before[0] == table:
            return before[1].broken
        tried = Tried()
        if table.name not in self.proposer.samples.too_slow:
            try:
                tried = self.trial.of(table)
            except OutOfTime:
                self.proposer.samples.too_slow.add(table.name)
        self.tried[table.name] = table, tried
        return tried.broken


def plan_source(
    source: Session, raw: Rules, rules: SyncRules, key: MaskKey, progress: Progress = no_progress
) -> MaskPlan:
    """Propose masks for a source.

    Args:
        source: in a transaction.
        raw: the rules that exist already, as JSON, to which the proposed ones are added.
        rules: the same, parsed.
        key: for the masked samples.
        progress: shows how many tables are looked at.
    """
    prepare(source)
    catalog = read_catalog(source)
    find_names(source, catalog.function_paths)
    plan = plan_tables(Catalogs(catalog, catalog), rules)
    read_through_policies(source, plan)
    hand_over(source, key, KEYED)
    tables = readable(plan.tables)
    sampler = Sampler(source, tables, _planner_of(plan, rules, key))
    for done, table in enumerate(tables):
        progress("look", done, len(tables))
        sampler.look(table)
    progress("look", len(tables), len(tables))
    masked = _planned(plan, rules.masks, rules.follow, key)
    following = propose_followers(source, masked, raw.get("follow", {}), sampler.samples)
    planning = _Planning(
        source,
        raw,
        plan,
        following,
        Proposer(plan, rules.masks, following.parsed, key, sampler.rows_of, sampler.samples),
        Trial(source, sampler, tables),
        frozenset(table.name for table in tables),
        progress,
    )
    proposed, final, proposal = planning.until_they_hold()
    return MaskPlan(
        proposed,
        rules.masks,
        final,
        proposal,
        sampler.samples,
        {
            table.name: planning.tried[table.name][1]
            for table in final.masked_tables
            if table.name in planning.tried
        },
        _unread(plan.tables, sampler.samples),
        following,
    )


def _planner_of(plan: Plan, rules: SyncRules, key: MaskKey) -> MaskPlanner:
    planner = MaskPlanner(plan, rules.masks, rules.follow, key)
    planner.assign()
    return planner


def _planned(plan: Plan, masks: MaskRules, follow: FollowRules, key: MaskKey) -> Plan:
    """Return a plan with the masks of rules, and with nothing but what the masks add to it."""
    masked = Plan(plan.catalogs, tables=list(plan.tables), left_alone=plan.left_alone)
    plan_masks(masked, masks, follow, key)
    return masked


def _unread(tables: Sequence[TablePlan], samples: Samples) -> dict[Name, str]:
    unread = {
        table.name: "the role may not read all of it"
        if table.source.rights.sees_all
        else "row level security hides its rows"
        for table in tables
        if not table.source.rights.may_read_all
    }
    return unread | dict.fromkeys(sorted(samples.too_slow), "a sample took too long")


def _with_proposal(raw: Rules, proposal: Proposal, following: Following) -> Rules:
    """Return the rules with what is proposed."""
    rules = dict(raw)
    if following.rules:
        rules["follow"] = following.rules
    rules["mask"] = raw.get("mask", {}) | {
        join_name(*at.table, at.column): _as_json(proposed.rule)
        for at, proposed in sorted(proposal.masks.items())
    }
    if proposal.reviewed:
        names = [join_name(*at.table, at.column) for at in sorted(proposal.reviewed)]
        rules["reviewed"] = raw.get("reviewed", []) + names
    return rules


def _as_json(rule: MaskRule) -> object:
    return {"with": rule.kind, **rule.options} if rule.options else rule.kind
