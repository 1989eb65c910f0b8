"""Columns that belong to the target: which rows keep their value, and which lose it.

A person's value is kept only while the row belongs to the same person on both sides. In the
statements `t` is the target's row, `s` the source's staged row, `c` a change.
"""

from collections.abc import Iterable, Iterator

from psycopg2 import sql

from common.emails import normalized
from common.masking.emails import without_suffix
from common.postgres.database import Session
from common.postgres.unlink import unlinked_for, unlinked_value
from db_sync.plan.tables import PlannedColumn, TablePlan
from db_sync.statements import Parts, names, statement

NEW = sql.SQL("t.ctid IS NULL")
LOSES = "staging_sync_loses"


def columns_of_changes(plan: TablePlan) -> Iterator[sql.Composable]:
    """Yield the expressions that a change holds for columns that belong to the target.

    They are each column's value, the columns that are unique together with it, whether a kept
    column's value comes from the source (`brings`), and whether the row loses a value it had.
    """
    for column in plan.kept:
        name = sql.Identifier(column.name)
        yield sql.SQL("CASE WHEN {takes} THEN s.{name} ELSE t.{name} END AS {name}").format(
            takes=takes(plan, column.name), name=name
        )
        yield sql.SQL("{} AS {}").format(brings(plan, column.name), _flag(plan, column))
        if column.followed_as:
            yield sql.SQL("{} AS {}").format(unlinked_sub(plan, column), _lost(plan, column))
    for beside in columns_beside(plan):
        yield sql.SQL("s.{0} AS {0}").format(sql.Identifier(beside))
    for own in plan.own:
        yield _own_value(plan, own)
    yield sql.SQL("{} AS {}").format(_loses(plan), sql.Identifier(LOSES))


def columns_beside(plan: TablePlan) -> list[str]:
    """Return the source's columns that are in a unique index together with a kept column."""
    beside = {name for column in plan.kept for key in _unique_keys(plan, column) for name in key}
    return [column.name for column in plan.compared if column.name in beside]


def changed_names(plan: TablePlan) -> list[str]:
    """Return the target's own columns whose value a row that stays may lose or get."""
    followed = (column.name for column in plan.kept if column.followed_as)
    return list(dict.fromkeys([*plan.while_same, *followed]))


def unlink(target: Session, plan: TablePlan, parts: Parts, *, in_place: bool) -> int:
    """Remove kept, unique values from rows that stay where another row brings them; count them.

    A row that stays is in the target, or is about to be inserted again.

    Args:
        target: the session.
        plan: the table.
        parts: the names of its merge's statements.
        in_place: whether changed rows have been updated already.
    """
    count = 0
    for column in plan.kept:
        if not _unique_keys(plan, column):
            continue
        unlinked = _unlinked(plan, column)
        stay = [{"in_table": parts["rows"], "which": sql.SQL("true"), "unlinked": unlinked}]
        if not in_place:
            existed = sql.SQL("staging_sync_row IS NOT NULL AND NOT {}").format(_flag(plan, column))
            lost = _as_type(_lost(plan, column), column) if column.followed_as else unlinked
            stay.append({"in_table": parts["changes"], "which": existed, "unlinked": lost})
        taking = {
            "column": sql.Identifier(column.name),
            "is_brought": _is_brought(plan, column, parts),
        }
        count += sum(
            target.execute(statement("write/unlink_kept_values", {**taking, **rows}))
            for rows in stay
        )
    return count


def count_unlinked(target: Session, plan: TablePlan, parts: Parts) -> int:
    """Return how many values `unlink` would remove, without writing."""
    return sum(
        int(
            target.row(
                statement(
                    "write/count_unlinked",
                    {
                        **parts,
                        "brings": _flag(plan, column),
                        "is_brought": _is_brought(plan, column, parts),
                        "key": names(sorted({name for key in keys for name in key})),
                    },
                )
            )[0]
        )
        for column in plan.kept
        if (keys := _unique_keys(plan, column))
    )


def unlinked_sub(plan: TablePlan, column: PlannedColumn, row: str | None = "t") -> sql.Composable:
    """Return what a row of the target has as its sub (text) if it loses it, where others follow it.

    Args:
        plan: the table.
        column: the sub column.
        row: the row's alias; None: its columns stand alone.
    """
    parts = [
        sql.SQL("CAST({} AS text)").format(sql.Identifier(*([row] if row else []), name))
        for name in (column.name, *plan.target.key)
    ]
    text = sql.SQL("pg_catalog.concat_ws('/', {})").format(sql.SQL(", ").join(parts))
    return unlinked_for(text, as_uuid=column.followed_as == "uuid")


def _unlinked(plan: TablePlan, column: PlannedColumn) -> sql.Composable:
    """Return the value that a row of the target has instead of one that another row brings."""
    if column.followed_as:
        return _as_type(unlinked_sub(plan, column, row=None), column)
    return unlinked_value(is_required=column.is_required, base_type=column.base_type)


def _as_type(text: sql.Composable, column: PlannedColumn) -> sql.Composable:
    return sql.SQL("CAST({} AS {})").format(text, sql.SQL(column.type))


def _lost(plan: TablePlan, column: PlannedColumn) -> sql.Identifier:
    """Return the name of the column of a change with what its row has if it loses its sub."""
    return sql.Identifier(f"staging_sync_lost_{plan.kept.index(column)}")


def takes(plan: TablePlan, name: str) -> sql.Composable:
    """Return whether a row takes the source's value: it is new, or now another person's.

    Or it has no sub, and others follow the column: they could not refer to it.
    """
    return sql.SQL("({} OR {})").format(NEW, _is_to_take(plan, name))


def lacks_sub(columns: Iterable[PlannedColumn]) -> sql.Composable:
    """Return whether a row has no sub, in a column that others follow, and production has one."""
    return _any(
        sql.SQL("(t.{0} IS NULL AND s.{0} IS NOT NULL)").format(sql.Identifier(column.name))
        for column in columns
        if column.followed_as
    )


def _is_to_take(plan: TablePlan, name: str) -> sql.Composable:
    """Return whether a row that stays takes the source's value."""
    other = _is_another_person(plan, name)
    if not any(column.name == name and column.followed_as for column in plan.kept):
        return other
    return sql.SQL("({} OR t.{} IS NULL)").format(other, sql.Identifier(name))


def _is_another_person(plan: TablePlan, name: str) -> sql.Composable:
    """Return whether a row belongs to different persons; NULL and blank are equal."""
    person = plan.while_same.get(name)
    if person is None:
        return sql.SQL("false")
    return sql.SQL("({})").format(
        sql.SQL(" OR ").join(
            sql.SQL("nullif({}, '') IS DISTINCT FROM nullif({}, '')").format(
                *(
                    normalized(compared(plan, sql.Identifier(side, each), each), person.collation)
                    for side in ("s", "t")
                )
            )
            for each in person.columns
        )
    )


def compared(plan: TablePlan, value: sql.Composable, name: str) -> sql.Composable:
    """Return a value as a person is told by it: a masked email without its suffix."""
    is_email = any(
        column.name == name and column.mask and column.mask.rule.kind == "email"
        for column in plan.compared
    )
    return without_suffix(value) if is_email else value


def brings(plan: TablePlan, name: str) -> sql.Composable:
    """Return whether a row gets a kept column's value from the source."""
    return sql.SQL(
        "({new} OR ({other} AND ROW(t.{name})::record OPERATOR(pg_catalog.*<>)"
        " ROW(s.{name})::record))"
    ).format(new=NEW, other=_is_to_take(plan, name), name=sql.Identifier(name))


def _loses(plan: TablePlan) -> sql.Composable:
    """Return whether an existing row loses a value because it is now another person's."""
    kept = [column.name for column in plan.kept]
    lost = [
        sql.SQL("({} AND t.{} IS NOT NULL)").format(
            brings(plan, name) if name in kept else _is_another_person(plan, name),
            sql.Identifier(name),
        )
        for name in plan.while_same
    ]
    return sql.SQL("({} IS NOT TRUE AND ({}))").format(NEW, _any(lost))


def _own_value(plan: TablePlan, name: str) -> sql.Composable:
    """Return the value of a column that only the target has."""
    value: sql.Composable = sql.Identifier("t", name)
    if name in plan.while_same:
        column = plan.target.columns[name]
        value = sql.SQL("CASE WHEN {} THEN {} ELSE {} END").format(
            _is_another_person(plan, name),
            unlinked_value(is_required=column.is_required, base_type=column.base_type),
            value,
        )
    return sql.SQL("{} AS {}").format(value, sql.Identifier(name))


def _flag(plan: TablePlan, column: PlannedColumn) -> sql.Identifier:
    """Return the name of the column that says whether a change brings a kept column's value."""
    return sql.Identifier(f"staging_sync_brings_{plan.kept.index(column)}")


def _unique_keys(plan: TablePlan, column: PlannedColumn) -> list[list[str]]:
    """Return the sets of columns that are unique together, and that the source sends.

    A sub that others follow is nobody else's, whatever the indexes say.
    """
    if column.followed_as:
        return [[column.name]]
    sent = {each.name for each in plan.compared + plan.kept}
    return [key for key in column.unique_keys if sent.issuperset(key)]


def _is_brought(plan: TablePlan, column: PlannedColumn, parts: Parts) -> sql.Composable:
    """Return whether another row brings a value that a row holds.

    Blank subs are none: many rows may have them where no index forbids it.
    """
    is_brought = _any(
        sql.SQL("({}) IN (SELECT {} FROM {} c WHERE c.{})").format(
            names(key), names(key, "c"), parts["changes"], _flag(plan, column)
        )
        for key in _unique_keys(plan, column)
    )
    if not column.followed_as or [column.name] in column.unique_keys:
        return is_brought
    return sql.SQL("({}) AND CAST({} AS text) <> ''").format(
        is_brought, sql.Identifier(column.name)
    )


def _any(conditions: Iterable[sql.Composable]) -> sql.Composable:
    """Return the condition that at least one of several holds."""
    joined = list(conditions)
    return sql.SQL(" OR ").join(joined) if joined else sql.SQL("false")
