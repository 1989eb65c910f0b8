"""The plan of a sync, made by comparing both catalogs, and all that forbids it."""

from common.masking.keys import MaskKey
from common.reports.notices import Notice, Topic
from db_sync.plan.catalog import Catalogs
from db_sync.plan.followers import plan_followers
from db_sync.plan.left_alone import EXCLUDED, why_left_alone
from db_sync.plan.masks import plan_masks
from db_sync.plan.publications import check_publications
from db_sync.plan.rights import check_rights
from db_sync.plan.rule_errors import find_rule_errors
from db_sync.plan.table_planner import TablePlanner
from db_sync.plan.tables import Plan
from db_sync.rules import SyncRules


def make_plan(
    catalogs: Catalogs,
    rules: SyncRules,
    *,
    dry_run: bool = False,
    mask_key: MaskKey | None = None,
) -> Plan:
    """Plan the sync; `require_fit` checks whether the plan may be carried out."""
    plan = plan_tables(catalogs, rules, dry_run=dry_run)
    plan.configuration_errors += find_rule_errors(catalogs, rules)
    plan_masks(plan, rules.masks, rules.follow, mask_key)
    plan_followers(plan, rules.follow)
    _leave_extension_tables(plan, rules)
    _warn_of_large_objects(plan)
    check_rights(plan, dry_run=dry_run)
    check_publications(plan)
    return plan


def plan_tables(catalogs: Catalogs, rules: SyncRules, *, dry_run: bool = False) -> Plan:
    """Return a plan with the tables that are synced and those that are not, without masks."""
    plan = Plan(catalogs)
    for name in sorted(catalogs.source.tables.keys() | catalogs.target.tables.keys()):
        if reason := why_left_alone(name, catalogs, rules, dry_run=dry_run):
            plan.left_alone[name] = reason.text
            if not reason.is_expected:
                plan.notices.append(
                    Notice(f"Table {name} is not synced: {reason.text}.", Topic.SCHEMA, reason.mend)
                )
        else:
            TablePlanner(plan, name, rules.keep.get(name, {})).add()
    return plan


def _leave_extension_tables(plan: Plan, rules: SyncRules) -> None:
    """Note that the tables of extensions are left alone."""
    for catalog in plan.catalogs:
        for table in catalog.facts.extension_tables:
            is_excluded = table.name in rules.exclude
            reason = EXCLUDED if is_excluded else f"it belongs to the extension {table.extension}"
            plan.left_alone.setdefault(table.name, reason)


def _warn_of_large_objects(plan: Plan) -> None:
    in_source, in_target = (catalog.facts.large_objects for catalog in plan.catalogs)
    if in_source:
        plan.notices.append(
            Notice(
                f"The source has {in_source} large objects and the target {in_target}. They are not"
                " copied, so an oid in a copied row may refer to one that the target lacks."
            )
        )
