"""The SQL that replaces subs in columns that follow a sub column, for all rows at once.

A temporary table holds which sub is replaced by which. Each column is joined with it once: a lookup
for each row would take many times as long. Subs are compared as texts, bytewise.

In a uuid no sub is replaced by a value that is none, such as 'unlinked:…': it stays. So does an
array of several dimensions, or whose first element is not number 1.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from psycopg2 import sql

from common.emails import BYTEWISE
from common.json_paths import Path, replaced_at

type Holds = Literal["sub", "array", "json"]

# A uuid as PostgreSQL writes it.
UUID_FORM = "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
# Whether a text has that form. One regular expression would take eight times as
# long, for up to every sub of a pool.
IS_UUID = (
    "({0} LIKE '________-____-____-____-____________' AND {0} !~ '[^0-9a-f-]'"
    " AND pg_catalog.length(pg_catalog.replace({0}, '-', '')) = 32)"
)


@dataclass(frozen=True, slots=True)
class SubColumn:
    """A column that holds a sub, an array of subs, or jsonb with subs at some paths.

    `is_uuid`: whether a sub is a uuid there, and not a text.
    """

    name: str
    holds: Holds
    is_uuid: bool
    paths: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class Replacements:
    """A table of which sub (in the column `old`, a text) is replaced by which (`new`).

    No `old` may occur twice; where `old` or `new` is NULL nothing is replaced.
    """

    table: sql.Composable
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Substitution:
    """What replaces the subs of a column in rows `t`: a join, and the column's value with it.

    `is_changed` is the condition that something is replaced.
    """

    join: sql.Composable
    value: sql.Composable
    is_changed: sql.Composable


def substituted(
    column: SubColumn, rows: sql.Composable, by: Replacements, alias: str
) -> Substitution:
    """Return what replaces the subs in a column.

    Args:
        column: the column.
        rows: the FROM item that the column is in, without its alias, which is `t`.
        by: which sub is replaced by which.
        alias: a name that nothing else in the statement has.
    """
    of = sql.Identifier(alias)
    if column.holds == "sub":
        new = sql.SQL("{}.{}").format(of, sql.Identifier(by.new))
        own: sql.Composable = sql.Identifier("t", column.name)
        value = sql.SQL("coalesce({}, {})").format(
            _as_sub(new, column), own if column.is_uuid else _as_text(own)
        )
        return Substitution(
            join=sql.SQL(" LEFT JOIN {} {} ON {}.{} = {}{}").format(
                by.table, of, of, sql.Identifier(by.old), _as_text(own), _if_fits(column, new)
            ),
            value=value,
            is_changed=sql.SQL("{} IS NOT NULL").format(new),
        )
    return Substitution(
        join=_join_of_many(column, rows, by, of),
        value=_rebuilt(column, of),
        is_changed=sql.SQL("{}.subs IS NOT NULL").format(of),
    )


def substitute(
    rows: sql.Composable, columns: Sequence[SubColumn], by: Replacements
) -> sql.Composed:
    """Return the UPDATE that replaces the subs in some columns of a table, all at once.

    Rows that hold none of them are not written. The statement's number of rows is how many were.

    Args:
        rows: the table, as a statement that writes to it names it.
        columns: its columns that hold subs.
        by: which sub is replaced by which.
    """
    found = [
        substituted(column, rows, by, f"staging_sync_subs_{number}")
        for number, column in enumerate(columns)
    ]
    return sql.SQL(
        "UPDATE {rows} t SET {set_columns} FROM ("
        "SELECT t.tableoid AS staging_sync_table, t.ctid AS staging_sync_row, {values}"
        " FROM {rows} t{joins} WHERE {is_changed} OFFSET 0) n"
        " WHERE t.tableoid = n.staging_sync_table AND t.ctid = n.staging_sync_row"
    ).format(
        rows=rows,
        set_columns=sql.SQL(", ").join(
            sql.SQL("{0} = n.{0}").format(sql.Identifier(column.name)) for column in columns
        ),
        values=sql.SQL(", ").join(
            sql.SQL("{} AS {}").format(each.value, sql.Identifier(column.name))
            for column, each in zip(columns, found, strict=True)
        ),
        joins=sql.SQL("").join([each.join for each in found]),
        is_changed=sql.SQL(" OR ").join([each.is_changed for each in found]),
    )


def subs_in(column: SubColumn) -> sql.Composable:
    """Return a query for the subs (`sub`, texts) that the column holds in row `t`, for LATERAL."""
    own = sql.Identifier("t", column.name)
    if column.holds == "sub":
        return sql.SQL("(SELECT {} AS sub)").format(_as_text(own))
    if column.holds == "array":
        return sql.SQL(
            "(SELECT {} AS sub FROM pg_catalog.unnest(CASE WHEN pg_catalog.array_ndims({own}) = 1"
            " AND pg_catalog.array_lower({own}, 1) = 1 THEN {own} END) AS e (sub))"
        ).format(_as_text(sql.Identifier("e", "sub")), own=own)
    # In jsonpath's lax mode, which does not stop at the first element without what is looked for.
    queries = [
        sql.SQL(
            "SELECT {text} AS sub FROM pg_catalog.jsonb_path_query({own}, {path}, '{{}}', true)"
            " AS e (sub) WHERE pg_catalog.jsonb_typeof(e.sub) = 'string'"
        ).format(
            text=sql.SQL("(e.sub #>> '{{}}') {}").format(BYTEWISE),
            own=own,
            path=sql.Literal(_as_jsonpath(path)),
        )
        for path in column.paths
    ]
    return sql.SQL("({})").format(sql.SQL(" UNION ALL ").join(queries))


def _join_of_many(
    column: SubColumn, rows: sql.Composable, by: Replacements, of: sql.Identifier
) -> sql.Composable:
    """Return the join with those of the replacements that a row needs, as JSON.

    The table is read once more for it, so that it takes one join and not a lookup for each sub.
    """
    return sql.SQL(
        " LEFT JOIN (SELECT t.tableoid AS staging_sync_table, t.ctid AS staging_sync_row,"
        " pg_catalog.jsonb_object_agg(m.{old}, m.{new}) AS subs"
        " FROM {rows} t CROSS JOIN LATERAL {held} h JOIN {table} m ON m.{old} = h.sub"
        " WHERE m.{new} IS NOT NULL{fits} GROUP BY 1, 2) {of}"
        " ON {of}.staging_sync_table = t.tableoid AND {of}.staging_sync_row = t.ctid"
    ).format(
        old=sql.Identifier(by.old),
        new=sql.Identifier(by.new),
        fits=_if_fits(column, sql.Identifier("m", by.new)),
        rows=rows,
        held=subs_in(column),
        table=by.table,
        of=of,
    )


def _rebuilt(column: SubColumn, of: sql.Identifier) -> sql.Composable:
    """Return the value of a column in which the subs of `_join_of_many` are replaced."""
    own = sql.Identifier("t", column.name)
    rebuilt: sql.Composable = own
    if column.holds == "array":
        element = sql.Identifier("staging_sync_elements", "sub")
        rebuilt = sql.SQL(
            "ARRAY(SELECT coalesce({new}, {own}) FROM pg_catalog.unnest({array}) WITH ORDINALITY"
            " staging_sync_elements (sub, number) ORDER BY staging_sync_elements.number)"
        ).format(
            new=_as_sub(sql.SQL("{}.subs ->> {}").format(of, _as_text(element)), column),
            own=element if column.is_uuid else _as_text(element),
            array=own,
        )
    for path in column.paths:
        rebuilt = replaced_at(path, rebuilt, lambda value: _replaced_text(value, of))
    as_it_is: sql.Composable = own
    if column.holds == "array":
        as_it_is = sql.SQL("CAST({} AS {})").format(own, sql.SQL(_sub_type(column) + "[]"))
    return sql.SQL("CASE WHEN {}.subs IS NULL THEN {} ELSE {} END").format(of, as_it_is, rebuilt)


def _replaced_text(value: sql.Composable, of: sql.Identifier) -> sql.Composable:
    """Return a value in JSON (jsonb), replaced if it is one of the row's subs."""
    return sql.SQL(
        "CASE pg_catalog.jsonb_typeof({value}) WHEN 'string'"
        " THEN coalesce({of}.subs -> ({value} #>> '{{}}'), {value}) ELSE {value} END"
    ).format(value=value, of=of)


def _if_fits(column: SubColumn, new: sql.Composable) -> sql.Composable:
    """Return what else is true of a new sub that a column can hold, for the end of a condition."""
    return sql.SQL(" AND " + IS_UUID).format(new) if column.is_uuid else sql.SQL("")


def _as_text(value: sql.Composable) -> sql.Composable:
    return sql.SQL("(CAST({} AS text) {})").format(value, BYTEWISE)


def _as_sub(text: sql.Composable, column: SubColumn) -> sql.Composable:
    return sql.SQL("CAST({} AS {})").format(text, sql.SQL(_sub_type(column)))


def _sub_type(column: SubColumn) -> str:
    return "uuid" if column.is_uuid else "text"


def _as_jsonpath(path: Path) -> str:
    """Return a path as PostgreSQL's jsonpath."""
    steps = ("." + json.dumps(step[0]) if isinstance(step, tuple) else step for step in path)
    return "lax $" + "".join(steps)
