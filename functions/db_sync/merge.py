"""Making one table of the target equal to the source's, writing only the rows that differ.

The source's rows are staged in a temporary table, compared with the target's, and those that
differ are deleted and inserted anew: unlike an UPDATE, that lets unique values change places
between rows. Columns that belong to the target are carried over.
"""

from dataclasses import dataclass

from psycopg2 import sql

from common.database import Session
from common.queries import load_query
from common.unlink import unlinked_value
from db_sync.load import copy_rows
from db_sync.plan import PlannedColumn, TablePlan
from db_sync.statements import names, same_key, table_rows
from db_sync.transfer import Transferred

STAGE = "staging_sync_stage"
CHANGES = "staging_sync_changes"

# Cast, since PostgreSQL takes two bare ROWs apart and wants the operator for each column.
DIFFERS = "ROW({})::record OPERATOR(pg_catalog.*<>) ROW({})::record"

type Parts = dict[str, sql.Composable]


@dataclass(frozen=True, slots=True)
class Changes:
    """How many rows were written (or would be, in a dry run)."""

    inserted: int = 0
    updated: int = 0
    deleted: int = 0
    unlinked: int = 0


def create_stage(target: Session, plan: TablePlan) -> None:
    """Create the temporary table that the source's rows go to; without constraints."""
    target.execute(
        sql.SQL("CREATE TEMPORARY TABLE {} AS SELECT {} FROM {} WITH NO DATA").format(
            _stage(plan), names(_copied_names(plan)), plan.name.identifier
        )
    )


def fill_stage(source: Session, target: Session, plan: TablePlan) -> Transferred:
    """Copy all rows of the source into the stage."""
    return copy_rows(source, target, plan, _stage(plan))


def count_changes(target: Session, plan: TablePlan) -> Changes:
    """Return what `apply_changes` would write, without writing."""
    return Changes(*target.row(_statement("count_changes", _parts(plan))))


def apply_changes(target: Session, plan: TablePlan) -> Changes:
    """Write the rows of the stage that differ, delete those that it lacks."""
    parts = _parts(plan)
    target.execute(sql.SQL("ANALYZE {stage}").format(**parts))
    target.execute(_statement("find_changes", parts))
    deleted = target.execute(_statement("delete_gone_rows", parts))
    target.execute(_statement("delete_changed_rows", parts))
    unlinked = sum(_unlink(target, plan, column) for column in plan.kept if column.is_unique)
    updated = _insert(target, parts, "", _copied_names(plan) + list(plan.own))
    inserted = _insert(target, parts, "NOT", _copied_names(plan))
    target.execute(sql.SQL("DROP TABLE {stage}, {changes}").format(**parts))
    return Changes(inserted, updated, deleted, unlinked)


def _insert(target: Session, parts: Parts, which: str, columns: list[str]) -> int:
    return target.execute(
        _statement("insert_rows", {**parts, "which": sql.SQL(which), "into": names(columns)})
    )


def _unlink(target: Session, plan: TablePlan, column: PlannedColumn) -> int:
    """Take a kept, unique value from rows that stay where a new row brings it; count them.

    A row that stays is in the target, or is about to be inserted anew.
    """
    parts = {
        **_parts(plan),
        "column": sql.Identifier(column.name),
        "unlinked": unlinked_value(is_required=column.is_required, base_type=column.base_type),
    }
    existed = sql.SQL("staging_sync_existed")
    return sum(
        target.execute(
            _statement("unlink_kept_values", {**parts, "in_table": rows, "which": which})
        )
        for rows, which in ((parts["rows"], sql.SQL("true")), (parts["changes"], existed))
    )


def _statement(name: str, parts: Parts) -> sql.Composed:
    return sql.SQL(load_query("db_sync", name)).format(**parts)


def _parts(plan: TablePlan) -> Parts:
    """Return the names that the statements above use; `t` is the target, `s` the stage."""
    compared = [column.name for column in plan.compared]
    values = [sql.SQL("s.{0} AS {0}").format(sql.Identifier(name)) for name in compared]
    kept = [column.name for column in plan.kept]
    values += [
        sql.SQL(
            "CASE WHEN t.ctid IS NULL THEN s.{0} ELSE t.{0} END AS {0}"
            if name in kept
            else "t.{0} AS {0}"
        ).format(sql.Identifier(name))
        for name in [*kept, *plan.own]
    ]
    return {
        "table": plan.name.identifier,
        "rows": table_rows(plan.target),
        "stage": _stage(plan),
        "changes": sql.Identifier("pg_temp", CHANGES),
        "same_key": same_key(plan, "s", "t"),
        "differs": sql.SQL(DIFFERS).format(names(compared, "t"), names(compared, "s")),
        "values": sql.SQL(", ").join(values),
    }


def _copied_names(plan: TablePlan) -> list[str]:
    """Return the columns whose values the source sends."""
    return [column.name for column in plan.compared + plan.kept]


def _stage(plan: TablePlan) -> sql.Identifier:
    """Return the stage's name; by the table's oid, since a dry run creates all of them first."""
    return sql.Identifier("pg_temp", f"{STAGE}_{plan.target.oid}")
