"""Which columns are proposed to follow a sub column, since they hold its subs."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from common.follow.followers import Follower, find_followers
from common.follow.rules import FollowRules
from common.postgres.database import Session
from common.postgres.names import TableColumn, join_name
from db_sync.follow.candidates import find_subs
from db_sync.follow.unnamed import Unnamed, find_unnamed
from db_sync.mask_plan.sample import Samples
from db_sync.plan.mask_references import References
from db_sync.plan.tables import Plan


@dataclass(frozen=True, slots=True)
class Following:
    """What follows, by the rules and the proposal together.

    `rules` are the rules' "follow" as JSON, and `parsed` the same. `proposed` are those that were
    added. `followers` are all columns that follow, and `undecided` says which a person must decide
    about.
    """

    rules: dict[str, Any]
    parsed: FollowRules
    proposed: Mapping[TableColumn, Unnamed]
    followers: Mapping[TableColumn, Follower]
    undecided: Sequence[str]


def propose_followers(
    source: Session, plan: Plan, given: dict[str, Any], samples: Samples
) -> Following:
    """Return what follows a sub column, and what should.

    Args:
        source: in a transaction.
        plan: with the masks of the rules that exist already.
        given: the rule "follow" that exists already, as JSON.
        samples: take the tables that are too slow.
    """
    found = find_unnamed(source, plan, FollowRules.parse(given))
    samples.too_slow |= found.unseen
    proposed = {
        each.column: each
        for each in found.columns
        if each.has_rule and not _looks_personal(each.column, samples)
    }
    rules = given | {join_name(*at.table, at.column): each.rule for at, each in proposed.items()}
    parsed = FollowRules.parse(rules)
    subs = [sub.at for sub in find_subs(plan, parsed)]
    synced = [TableColumn(table.name, each.name) for table in plan.tables for each in table.sent]
    return Following(
        rules,
        parsed,
        proposed,
        find_followers(subs, synced, References(plan).all, parsed),
        list(_undecided([each for each in found.columns if each.column not in proposed])),
    )


def _looks_personal(at: TableColumn, samples: Samples) -> bool:
    """Return whether a column holds something else that must be masked, and so cannot follow."""
    inside = samples.json.get(at)
    is_json = inside is not None and (bool(inside.masks) or inside.is_hopeless)
    return is_json or at in samples.findings


def _undecided(columns: Sequence[Unnamed]) -> Iterator[str]:
    for each in columns:
        why = "it looks personal too, and what is masked cannot follow"
        if not each.has_rule:
            why = "look for the paths to them yourself"
        yield f'{each.column} ({each.because}; {why}); name it in "follow", or say null there'
