"""Random tables with masks, rows of two nights, and what the second database must hold.

Each table has a key `k`, a reference `r` to a table before it or to itself, and columns c0, c1, …
"""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from tests.support.mask_model_numbers import Type

type Row = tuple[int | None, tuple[str | None, ...]]  # the parent's number, and the columns' values
type Rows = dict[int, Row]  # by the number that the key is made from


@dataclass(frozen=True, slots=True)
class Sort:
    """A type of columns, what masks it may have, and its values as texts."""

    sql: str
    type: Type
    rules: Sequence[Any]
    values: st.SearchStrategy[str]


@dataclass(frozen=True, slots=True)
class Key:
    """As `Sort`, of a key: its values are made of numbers."""

    sql: str
    type: Type
    rules: Sequence[Any]
    value: Callable[[int], str]


KEYS = (
    Key("int", Type("integer"), [None], str),
    Key("bigint", Type("bigint"), ["hash"], lambda number: str(number * 10**12)),
    Key("text", Type("text"), ["hash", "uuid", None], lambda number: f"Key {number}"),
    Key(
        "varchar(60)",
        Type("varchar", 60),
        ["email", {"with": "email", "keep_domains": ["x.org"]}, "hash"],
        lambda number: f"{'Ada' if number % 2 else 'ada'}{number // 2}@x{number % 3}.org",
    ),
    Key("uuid", Type("uuid"), ["uuid"], lambda number: str(uuid.UUID(int=number))),
    Key("bytea", Type("bytea"), ["hash"], lambda number: f"\\x{number:04x}"),
)
SORTS = (
    Sort("text", Type("text"), ["hash", "text", "name", "phone", "email", "ip", "null", None],
         st.sampled_from(["", "a", "A", "Ada Lovelace", "ada@x.org", "Straße 5", "::1"])),
    Sort("varchar(12)", Type("varchar", 12), ["hash", "name", "text"],
         st.sampled_from(["", "Ada", "Ada L"])),
    Sort("integer", Type("integer"), ["hash", "number", {"with": "number", "within": 3}],
         st.integers(-9, 90).map(str)),
    Sort("numeric(8,2)", Type("numeric", 8, 2), ["number", None], st.integers(-9, 90).map(str)),
    Sort("date", Type("date"), ["date", {"with": "date", "within_days": 2}],
         st.sampled_from(["2000-02-29", "infinity", "1815-12-10"])),
    Sort("timestamptz", Type("timestamptz"), ["date"],
         st.sampled_from(["2000-02-29 12:00+00", "-infinity"])),
    Sort("inet", Type("inet"), ["ip"], st.sampled_from(["10.0.0.1", "10.0.0.0/8", "::1"])),
    Sort("jsonb", Type("jsonb"), [{"with": "json", "paths": {"$.a": "hash", "$.b[*]": "number"}}],
         st.sampled_from(["null", "{}", '{"a": "x", "b": [1, null, "y"], "c": 1}', "[1]"])),
    Sort("text[]", Type("text", is_array=True), ["text", "hash"],
         st.sampled_from(["{}", '{a,NULL,""}', "{b}"])),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its type, and the rule that the team writes for it, if any."""

    sql: str
    type: Type
    rule: Any


@dataclass(frozen=True, slots=True)
class Table:
    """A table; `parent` is the number of the one that it refers to.

    `is_told`: whether the reference has a rule of its own, the same as the key.
    """

    name: str
    key: Key
    rule: Any
    parent: int
    is_told: bool
    columns: tuple[Column, ...]


@st.composite
def masked_tables(draw: st.DrawFn) -> list[Table]:
    """Return up to four tables."""
    tables: list[Table] = []
    for number in range(draw(st.integers(1, 4))):
        key = draw(st.sampled_from(KEYS))
        sorts = draw(st.lists(st.sampled_from(SORTS), max_size=3))
        columns = tuple(
            Column(sort.sql, sort.type, draw(st.sampled_from(sort.rules))) for sort in sorts
        )
        rule, parent = draw(st.sampled_from(key.rules)), draw(st.integers(0, number))
        tables.append(Table(f"t{number}", key, rule, parent, draw(st.booleans()), columns))
    return tables


@st.composite
def nights(draw: st.DrawFn, tables: Sequence[Table]) -> tuple[list[Rows], list[Rows]]:
    """Return production's rows by table in a night, and in the next one."""
    first = [draw(_rows(table)) for table in tables]
    second = []
    for table, rows in zip(tables, first, strict=True):
        stays = {number: row for number, row in rows.items() if draw(st.booleans()) or number % 3}
        second.append(stays | draw(_rows(table, most=4)))
    return first, second


def _rows(table: Table, most: int = 12) -> st.SearchStrategy[Rows]:
    values = {sort.sql: sort.values for sort in SORTS}
    row = st.tuples(
        st.none() | st.integers(0, 15),
        st.tuples(*(st.none() | values[column.sql] for column in table.columns)),
    )
    return st.dictionaries(st.integers(0, 15), row, max_size=most)


def create(tables: Sequence[Table]) -> str:
    """Return the statements that create the tables, of which one may not be there yet."""
    statements = []
    for table in tables:
        parent = tables[table.parent]
        columns = [
            f"k {table.key.sql} PRIMARY KEY",
            f"r {parent.key.sql} REFERENCES {parent.name}",
            *(f"c{number} {column.sql}" for number, column in enumerate(table.columns)),
        ]
        statements.append(f"CREATE TABLE {table.name} ({', '.join(columns)})")
    return ";".join(statements)


def fill(tables: Sequence[Table], rows: Sequence[Rows]) -> str:
    """Return the statements that give production these rows and no others."""
    statements = [f"TRUNCATE {', '.join(table.name for table in tables)}"]
    statements.append("SET session_replication_role = replica")
    for table, those in zip(tables, rows, strict=True):
        parent = tables[table.parent]
        for number, (wanted, values) in those.items():
            refers = wanted is not None and wanted in rows[table.parent]
            row = [
                table.key.value(number),
                parent.key.value(wanted) if refers and wanted is not None else None,
                *values,
            ]
            statements.append(f"INSERT INTO {table.name} VALUES ({', '.join(map(_literal, row))})")
    return ";".join(statements)


def masks(tables: Sequence[Table]) -> dict[str, Any]:
    """Return the rules that the team writes."""
    found: dict[str, Any] = {}
    for table in tables:
        told = {"k": table.rule, **{f"c{n}": each.rule for n, each in enumerate(table.columns)}}
        if table.is_told:
            told["r"] = tables[table.parent].rule
        found |= {f"public.{table.name}.{name}": rule for name, rule in told.items() if rule}
    return found


def applied(tables: Sequence[Table], table: Table) -> dict[str, tuple[Type, Any]]:
    """Return a table's columns, each with its type and the rule that applies to it."""
    parent = tables[table.parent]
    columns = {f"c{n}": (each.type, each.rule) for n, each in enumerate(table.columns)}
    return {"k": (table.key.type, table.rule), "r": (parent.key.type, parent.rule), **columns}


def _literal(value: str | None) -> str:
    return "NULL" if value is None else "'" + value.replace("'", "''") + "'"
