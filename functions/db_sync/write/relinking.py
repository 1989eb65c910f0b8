"""Masks that changed: whether nearly everybody in staging would lose their login.

A row keeps its sub while its email is the same on both sides. By a new rule, or another key, every
email differs, so that a remap must follow.
"""

from psycopg2 import sql

from common.masking.emails import looks_masked
from db_sync.compare.outcomes import Compared
from db_sync.plan.rows import table_rows
from db_sync.plan.tables import TablePlan
from db_sync.run import Run
from db_sync.statements import statement, target_value


def find_unlinking(run: Run, compared: Compared) -> list[str]:
    """Return a sentence for each table whose rows would lose nearly all values that are people's.

    Args:
        run: the run; if a remap follows there is no such table.
        compared: what differs.
    """
    if run.options.is_remapped:
        return []
    return [
        f"Nearly all rows of {plan.name} in the target have another {column} than the present mask"
        f" rules and key would give them. So they would lose their {', '.join(kept)}, and nobody"
        ' could log in until a remap: start with {"sync_cognito": true}, or the command with'
        " --remapped if you remap yourself."
        for plan in compared.plans
        for column, kept in _persons(plan).items()
        if _is_masked_otherwise(run, plan, column, kept)
    ]


def _persons(plan: TablePlan) -> dict[str, list[str]]:
    """Return the columns that tell whose row is whose, each with what a row keeps by it."""
    persons: dict[str, list[str]] = {}
    for kept, same in plan.while_same.items():
        for column in same.columns:
            persons.setdefault(column, []).append(kept)
    return persons


def _is_masked_otherwise(run: Run, plan: TablePlan, name: str, kept: list[str]) -> bool:
    """Return whether most of the rows that have something to lose are not masked as by now."""
    for column in plan.compared:
        if column.name == name:
            is_masked = column.mask and column.mask.is_present
            is_present = is_masked or sql.SQL("NOT {}").format(looks_masked(target_value(column)))
            query = statement(
                "write/count_masked_otherwise",
                {
                    "is_present": is_present,
                    "email": target_value(column),
                    "keeps": sql.SQL(" OR ").join(
                        sql.SQL("{} IS NOT NULL").format(sql.Identifier("t", each)) for each in kept
                    ),
                    "rows": table_rows(plan.target),
                },
            )
            others, rows = run.target.row(query)
            return bool(others * 2 > rows)
    return False
