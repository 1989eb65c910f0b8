"""Rows of production that are staged: in columns that follow they get the subs that staging has."""

from itertools import groupby

from psycopg2 import sql

from common.follow.substitution import substitute
from db_sync.plan.tables import TablePlan
from db_sync.run import Run


def replaces_subs(run: Run, plan: TablePlan) -> bool:
    """Return whether rows of a table may hold subs of which staging has others."""
    return any(run.people[each.people].number for each in plan.target.following)


def give_own_subs(run: Run, plan: TablePlan, stage: sql.Composable) -> None:
    """Replace the subs in staged rows by those that the same people have in staging.

    Args:
        run: the run, with the people loaded.
        plan: the table; the stage has its compared columns.
        stage: the temporary table with production's rows.
    """
    staged = {column.name for column in plan.compared}
    following = [each for each in plan.target.following if each.column.name in staged]
    for people, group in groupby(following, lambda each: each.people):
        if run.people[people].number:
            first, *others = group
            columns = [each.column for each in (first, *others)]
            run.target.execute(substitute(stage, columns, first.forward))
