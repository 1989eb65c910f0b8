"""The temporary tables of a merge, and the statements that fill them and write by them.

The source's rows of the ranges that differ are staged in one and compared with the target's. Those
that differ are deleted and inserted anew: unlike an UPDATE, that lets rows exchange unique values.
Columns that belong to the target are carried over.
"""

from collections.abc import Sequence
from functools import cached_property

from psycopg2 import sql

from common.postgres.copying import Transferred
from common.postgres.database import Session
from common.postgres.settings.function_names import names_of
from common.postgres.settings.replication_role import define
from common.reports.sync import Changes
from db_sync.compare import generated
from db_sync.compare.outcomes import Merge
from db_sync.follow.staged import give_own_subs
from db_sync.plan.rows import table_rows, whole_table
from db_sync.plan.tables import TablePlan
from db_sync.run import Run
from db_sync.statements import Parts, names, same_key, statement, target_value
from db_sync.write import kept
from db_sync.write.copy_rows import copy_rows

# Cast, since PostgreSQL takes two bare ROWs apart and wants the operator for each column.
DIFFERS = "ROW({})::record OPERATOR(pg_catalog.*<>) ROW({})::record"
IS_STALE = sql.Identifier("staging_sync_is_stale")
NEW, EXISTED = sql.SQL("IS NULL"), sql.SQL("IS NOT NULL")


class Staging:
    """The temporary tables of one merge.

    One takes the source's rows; one lists which of them are missing or different in the target; and
    one lists where the target's rows are that the source lacks.
    """

    def __init__(self, target: Session, merge: Merge) -> None:
        """Create them, empty and without constraints."""
        self.merge = merge
        self._target = target
        self._parts = parts = _parts(merge)
        create_stage(target, merge.plan)
        _create(target, parts["changes"], statement("write/find_changes", parts))
        _create(target, parts["gone"], statement("write/find_gone_rows", parts))

    def fetch(self, run: Run) -> Transferred:
        """Copy the source's rows of the ranges that differ into the first of them."""
        plan, stage = self.merge.plan, self._parts["stage"]
        sent = copy_rows(run, self.merge.ranges, self.merge.numbers, stage)
        give_own_subs(run, plan, stage)
        self._analyze("stage")
        return sent

    def find_changes(self) -> None:
        """List which rows are to be written, and which are to be deleted."""
        with names_of(self._target, self.merge.plan.target.function_path):
            self._fill("changes", "find_changes")
        self._fill("gone", "find_gone_rows")

    def count_changes(self) -> Changes:
        """Return what a merge would write; the changes are listed."""
        inserted, updated, deleted, lost = self._target.row(self._statement("count_changes"))
        taken = kept.count_unlinked(self._target, self.merge.plan, self._parts)
        return Changes(inserted, updated, deleted, lost + taken)

    @cached_property
    def loses_kept_values(self) -> bool:
        """Whether rows lose a kept value, since others bring it; the changes are listed."""
        return kept.count_unlinked(self._target, self.merge.plan, self._parts) > 0

    def changes_any_of(self, columns: set[str | None]) -> bool:
        """Return whether an existing row of the target gets another value in one of some columns.

        Or whether one of them is a stale generated column that an UPDATE would not compute again.

        Args:
            columns: their names; None stands for any.
        """
        plan = self.merge.plan
        changed = [column.name for column in plan.compared] + kept.changed_names(plan)
        if None not in columns:
            read = generated.columns_read(plan, columns)
            changed = [name for name in changed if name in columns | read]
        is_reinserted = generated.needs_insert(plan, _updated_names(plan), columns)
        query = self._statement(
            "changes_any_of",
            differs=differs("t", "c", changed),
            is_stale=sql.SQL("c.{}" if is_reinserted else "false").format(IS_STALE),
        )
        return bool(self._target.row(query)[0])

    def delete_rows(self, *, in_place: bool) -> None:
        """Delete the rows that the source lacks; and those that change, unless `in_place`."""
        self._target.execute(self._statement("delete_gone_rows"))
        if not in_place:
            self._target.execute(self._statement("delete_changed_rows"))

    def write_rows(self, *, in_place: bool) -> Changes:
        """Update the rows that change (or insert them again), and insert those that are new.

        The temporary tables are dropped then.

        Returns:
            What the merge wrote, including the rows that were deleted before.
        """
        plan, target = self.merge.plan, self._target
        if in_place and _updated_names(plan):
            target.execute(self._statement("update_changed_rows"))
        taken = kept.unlink(target, plan, self._parts, in_place=in_place)
        if not in_place:
            self._insert(EXISTED, _copied_names(plan) + list(plan.own))
        self._insert(NEW, _copied_names(plan))
        inserted, updated, deleted, lost = target.row(self._statement("count_changes"))
        define(target, self._statement("drop_stage"))
        return Changes(inserted, updated, deleted, lost + taken)

    def _insert(self, which: sql.SQL, columns: list[str]) -> None:
        self._target.execute(self._statement("insert_rows", which=which, into=names(columns)))

    def _fill(self, table: str, query: str) -> None:
        rows = self._statement(query)
        self._target.execute(sql.SQL("INSERT INTO {} {}").format(self._parts[table], rows))
        self._analyze(table)

    def _analyze(self, table: str) -> None:
        self._target.execute(sql.SQL("ANALYZE {}").format(self._parts[table]))

    def _statement(self, name: str, **parts: sql.Composable) -> sql.Composed:
        return statement(f"write/{name}", {**self._parts, **parts})


def create_stage(target: Session, plan: TablePlan) -> None:
    """Create the temporary table that takes the source's rows."""
    copied = set(_copied_names(plan))
    # In the target's order: in another order, aligning its values could take a row more bytes.
    columns = names(name for name in plan.target.columns if name in copied)
    query = sql.SQL("SELECT {} FROM {}").format(columns, plan.name.identifier)
    _create(target, stage_of(plan), query)


def _create(target: Session, table: sql.Composable, query: sql.Composable) -> None:
    create = sql.SQL("CREATE TEMPORARY TABLE {} ON COMMIT DROP AS {} WITH NO DATA")
    define(target, create.format(table, query))


def _parts(merge: Merge) -> Parts:
    """Return what the statements of a merge are made of; `t` is the target, `s` the stage."""
    plan = merge.plan
    compared = [column.name for column in plan.compared]
    is_checked = bool(generated.checked_columns(plan))
    is_stale = sql.SQL("t.ctid IS NOT NULL AND generated.is_stale" if is_checked else "false")
    values = [
        *kept.columns_of_changes(plan),
        *([sql.SQL("{} AS {}").format(is_stale, IS_STALE)] if is_checked else []),
    ]
    return {
        "table": plan.name.identifier,
        "rows": whole_table(plan.target),
        "stage": stage_of(plan),
        "changes": changes_of(plan),
        "changed": changed_rows(plan),
        "gone": gone_of(plan),
        "same_key": same_key(plan, "s", "t"),
        "differs": sql.SQL("({} OR {})").format(
            differs("t", "s", compared), kept.lacks_sub(plan.kept)
        ),
        "columns": names(_updated_names(plan)),
        "new_values": names(_updated_names(plan), "c"),
        "values": sql.SQL(", ").join(values),
        "generated": generated.computed(plan) if is_checked else sql.SQL(""),
        "is_stale": is_stale,
        **_range_parts(merge),
    }


def differs(left: str, right: str, columns: Sequence[str]) -> sql.Composable:
    """Return the condition that columns of two aliases do not have the same bytes."""
    return sql.SQL(DIFFERS).format(names(columns, left), names(columns, right))


def _range_parts(merge: Merge) -> Parts:
    """Return the keys and places of the target's rows in the ranges that differ.

    And the candidates: the target's rows that a staged row may have the key of. They are in the
    same ranges only if these are ranges of values: keys that are equal and not identical ('A' and
    'a' in citext) hash differently.
    """
    ranges, table = merge.ranges, merge.plan.target
    in_ranges = ranges.rows(table, target_value, merge.numbers)
    return {
        # OFFSET 0 keeps the planner from scanning the whole stage for each range.
        "keys_in_ranges": sql.SQL(
            "(SELECT t.tableoid AS staging_sync_table, t.ctid AS staging_sync_row, {} FROM {}"
            " OFFSET 0)"
        ).format(names(table.key, "t"), in_ranges),
        "candidates": (
            table_rows(table)
            if ranges.shift is None or merge.numbers is None
            else sql.SQL("(SELECT t.* FROM {})").format(in_ranges)
        ),
    }


def _updated_names(plan: TablePlan) -> list[str]:
    """Return the columns that an UPDATE sets, without identities that are GENERATED ALWAYS.

    PostgreSQL rejects setting those; their values are right, see `order.keys_to_drop`. The target's
    own columns that stored generated columns read are set to their own values, so that the
    generated columns are computed again.
    """
    changed = [column.name for column in plan.compared] + kept.changed_names(plan)
    own = {*plan.own, *(column.name for column in plan.kept)} & generated.columns_read(plan)
    changed += sorted(own.difference(changed))
    return [name for name in changed if not plan.target.columns[name].is_always_generated]


def _copied_names(plan: TablePlan) -> list[str]:
    """Return the columns whose values the source sends."""
    return [column.name for column in plan.compared + plan.kept]


def stage_of(plan: TablePlan) -> sql.Identifier:
    """Return the temporary table that takes the source's rows."""
    return temporary("stage", plan)


def changes_of(plan: TablePlan) -> sql.Identifier:
    """Return the temporary table of the rows that are written, see `find_changes.sql`."""
    return temporary("changes", plan)


def changed_rows(plan: TablePlan) -> sql.Composable:
    """Return the rows that are written, with all their values, as a FROM item."""
    held = kept.columns_beside(plan)
    staged = [column.name for column in plan.compared if column.name not in held]
    return sql.SQL("(SELECT {} FROM {} c JOIN {} s ON s.ctid = c.staging_sync_staged)").format(
        sql.SQL(", ").join([sql.SQL("c.*"), *(sql.Identifier("s", name) for name in staged)]),
        changes_of(plan),
        stage_of(plan),
    )


def gone_of(plan: TablePlan) -> sql.Identifier:
    """Return the temporary table that lists where the rows are that are deleted."""
    return temporary("gone", plan)


def temporary(what: str, plan: TablePlan) -> sql.Identifier:
    """Return a temporary table's name, which holds the table's oid: all exist at the same time."""
    return sql.Identifier("pg_temp", f"staging_sync_{what}_{plan.target.oid}")
