"""What a run says of columns that hold subs and that nobody named."""

import json
from collections.abc import Iterator, Sequence
from itertools import groupby

from common.postgres.names import TableColumn, join_name
from common.reports.notices import Notice, Topic
from db_sync.follow.unnamed import Found, Unnamed, find_unnamed
from db_sync.plan.tables import Plan
from db_sync.plan.wording import listed
from db_sync.run import Run

MOST = 1_600  # characters of a warning: the execution's output has the first 2,000
NO_PATHS = "; name their paths"


def warn_of_unnamed(run: Run, plan: Plan) -> list[Notice]:
    """Return what the team should know of columns that hold subs and follow none.

    Args:
        run: the source's session is in its transaction.
        plan: of the sync.
    """
    return list(notices_of(find_unnamed(run.source, plan, run.options.rules.follow)))


def notices_of(found: Found) -> Iterator[Notice]:
    """Yield a notice for all columns that hold subs of one sub column, and for unseen tables."""
    columns = sorted(found.columns, key=lambda each: each.followed)  # as yet in the tables' order
    for _, of_one in groupby(columns, lambda each: each.followed):
        yield _of_columns(list(of_one))
    if found.unseen:
        yield Notice(
            f"Whether columns of {listed(sorted(found.unseen))} hold users' subs is not known: to"
            " read a sample of their rows took too long.",
            Topic.LOGINS,
        )


def _of_columns(columns: Sequence[Unnamed]) -> Notice:
    """Return the notice for as many columns as it can name."""
    told = 1
    while told < len(columns) and len(_sentences(columns[: told + 1])) <= MOST:
        told += 1
    text = _sentences(columns[:told])
    if more := len(columns) - told:
        text += f" {more} more columns hold subs: db-sync mask-plan shows them all."
    return Notice(text, Topic.LOGINS, f'{{"follow": {_rules(columns[:told])}}}')


def _sentences(columns: Sequence[Unnamed]) -> str:
    followed = columns[0].followed
    reasons = ", ".join(
        f"{_name(each.column)} ({each.subs} of {each.values} sampled values"
        f"{'' if each.has_rule else NO_PATHS})"
        for each in columns
    )
    text = (
        f"These columns hold subs of {_name(followed)} and do not follow it, so that people will"
        f' not find in staging what is theirs: {reasons}. Add to the rules: "follow":'
        f" {_rules(columns)}. Of a column that is to stay as it is, say null."
    )
    if keys := [_name(each.column) for each in columns if each.are_keys]:
        text += (
            f" In {followed.table} such subs are keys as well: say null of {', '.join(keys)} if it"
            " refers to the key."
        )
    return text


def _rules(columns: Sequence[Unnamed]) -> str:
    """Return the rules by which the columns follow, as JSON."""
    return json.dumps({_name(each.column): each.rule for each in columns}, ensure_ascii=False)


def _name(column: TableColumn) -> str:
    return join_name(*column.table, column.column)
