"""What becomes of each column, in the few words of a line."""

import json
from collections.abc import Iterator
from enum import Enum, auto
from typing import NamedTuple

from common.postgres.names import TableColumn
from db_sync.mask.kinds import MaskRule
from db_sync.mask_plan.planning import MaskPlan
from db_sync.plan.catalog import Column
from db_sync.plan.tables import PlannedColumn, TablePlan

SHORT_TYPES = {
    "character varying": "varchar",
    "character": "char",
    "timestamp with time zone": "timestamptz",
    "timestamp without time zone": "timestamp",
    "time with time zone": "timetz",
    "time without time zone": "time",
    "double precision": "float8",
}
RULE = 60  # characters that are shown of a rule
AS_IT_IS, REVIEWED, FOLLOWS = "as it is", "reviewed", "follows"


class Decision(Enum):
    """Whether somebody has decided about a column, or a decision is proposed, or still open."""

    MADE = auto()
    PROPOSED = auto()
    OPEN = auto()


class Fate(NamedTuple):
    """What becomes of a column, and why."""

    becomes: str
    why: str
    decision: Decision = Decision.MADE


class Line(NamedTuple):
    """A column, or a path in a JSON column; its fate, and a few of its values, masked."""

    name: str
    type: str
    fate: Fate
    sample: list[str]


def lines(plan: MaskPlan, table: TablePlan) -> Iterator[Line]:
    """Yield a line for each column of a table, in their order, and for each masked path."""
    planned = {column.name: column for column in table.sent}
    tried = plan.tried.get(table.name)
    for column in table.source.columns.values():
        sent = planned.get(column.name)
        fate = _fate(plan, table, column, sent)
        sample = tried.shown.get(column.name, []) if tried else []
        if sent and sent.mask and sent.mask.rule.kind == "json":
            yield Line(column.name, short_type(column.type), fate, [])
            yield from _paths(sent.mask.rule, fate.decision, sample)
        else:
            yield Line(column.name, short_type(column.type), fate, sample)


def _paths(rule: MaskRule, decision: Decision, documents: list[str]) -> Iterator[Line]:
    """Yield a line for each path of a rule, with the value in one masked document."""
    paths: dict[str, object] = rule.options["paths"]
    values = documents[0].split("\n") if documents else [""] * len(paths)
    for (path, within), value in zip(paths.items(), values, strict=True):
        fate = Fate(_rule(MaskRule.parse(path, within)), "", decision)
        yield Line(f" {path}", "", fate, [value])


def _fate(plan: MaskPlan, table: TablePlan, column: Column, planned: PlannedColumn | None) -> Fate:
    at = TableColumn(table.name, column.name)
    if planned is None:
        return Fate("computed", "generated from other columns")
    if planned.mask:
        becomes = _rule(planned.mask.rule)
        if proposed := plan.proposal.masks.get(at):
            return Fate(becomes, proposed.because, Decision.PROPOSED)
        return Fate(becomes, planned.mask.because)
    if follower := plan.following.followers.get(at):
        if unnamed := plan.following.proposed.get(at):
            return Fate(FOLLOWS, unnamed.because, Decision.PROPOSED)
        return Fate(FOLLOWS, f"{follower.because}: it holds subs")
    return _fate_without_mask(plan, at, is_kept=planned in table.kept)


def _fate_without_mask(plan: MaskPlan, at: TableColumn, *, is_kept: bool) -> Fate:
    if plan.given.rule_of(*at):
        return Fate("refused", "its rule does not hold: see below", Decision.OPEN)
    if why := plan.proposal.reviewed.get(at):
        return Fate(REVIEWED, why, Decision.PROPOSED)
    if why := plan.proposal.undecidable.get(at):
        return Fate(AS_IT_IS, why, Decision.OPEN)
    if plan.given.is_reviewed(*at):
        return Fate(REVIEWED, 'named in "reviewed"')
    return Fate(AS_IT_IS, 'staging\'s own, named in "keep"' if is_kept else "")


def _rule(rule: MaskRule) -> str:
    """Return a rule in few words: its kind, and its options."""
    if rule.kind == "json":
        return rule.kind
    options = (
        f"{name}={value if isinstance(value, str) else json.dumps(value)}"
        for name, value in rule.options.items()
    )
    return cut(" ".join([rule.kind, *options]), RULE)


def short_type(name: str) -> str:
    """Return a type's name, with PostgreSQL's short word for a long one."""
    for long, short in SHORT_TYPES.items():
        # A modifier stands within the name of a type with a time zone: timestamp(3) with time zone.
        first, *others = long.split(" ", 1)
        for modifier in ("", *_modifiers(name)):
            whole = " ".join([first + modifier, *others]) if others else long + modifier
            varying = long + modifier
            if name.removesuffix("[]") in {whole, varying}:
                return short + modifier + ("[]" if name.endswith("[]") else "")
    return name


def _modifiers(name: str) -> list[str]:
    _, start, rest = name.partition("(")
    return [start + rest.partition(")")[0] + ")"] if start else []


def cut(text: str, most: int) -> str:
    """Return a text without its middle if it is too long: an address ends with what it is."""
    end = (most - 1) // 2
    return text if len(text) <= most else f"{text[: most - 1 - end]}…{text[len(text) - end :]}"
