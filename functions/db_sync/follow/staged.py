"""Rows of production that are staged: in columns that follow they get the subs that staging has."""

from itertools import groupby

from psycopg2 import sql

from common.errors import SchemaMismatch
from common.follow.substitution import subs_in, substitute
from db_sync.plan.catalog import Following
from db_sync.plan.tables import TablePlan
from db_sync.run import Run
from db_sync.statements import statement


def replaces_subs(run: Run, plan: TablePlan) -> bool:
    """Return whether rows of a table may hold subs of which staging has others."""
    return any(run.people[each.people].number for each in plan.target.following)


def give_own_subs(run: Run, plan: TablePlan, stage: sql.Composable) -> None:
    """Replace the subs in staged rows by those that the same people have in staging.

    Args:
        run: the run, with the people loaded.
        plan: the table; the stage has its compared columns.
        stage: the temporary table with production's rows.

    Raises:
        SchemaMismatch: a value that is nobody's in production is somebody's sub in staging, who
            would be given the row.
    """
    staged = {column.name for column in plan.compared}
    following = [each for each in plan.target.following if each.column.name in staged]
    for people, group in groupby(following, lambda each: each.people):
        columns = list(group)
        if run.people[people].number:
            for each in columns:
                _require_unclaimed(run, plan, each, stage)
            run.target.execute(
                substitute(stage, [each.column for each in columns], columns[0].forward)
            )


def _require_unclaimed(
    run: Run, plan: TablePlan, following: Following, stage: sql.Composable
) -> None:
    query = statement(
        "follow/count_claimed",
        {"stage": stage, "subs": subs_in(following.column), "people": following.forward.table},
    )
    (claimed,) = run.target.row(query)
    if claimed:
        raise SchemaMismatch(
            f"{claimed} rows of {plan.name} have a {following.column.name} that is nobody's sub in"
            " production, and a person's in staging, who would be given these rows. Is staging's"
            " user pool production's? Remove the values in production, or unlink that person in"
            " staging. Nothing was written."
        )
