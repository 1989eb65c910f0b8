"""What two databases contain, read by queries that share nothing with the engine's."""

import difflib
import io
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

QUERIES = Path(__file__).parent / "queries"
# Reads the tables themselves: an index may be wrong.
WITHOUT_INDEXES = (
    "RESET ROLE; SET search_path = pg_catalog; SET enable_indexscan = off;"
    " SET enable_indexonlyscan = off; SET enable_bitmapscan = off; SET row_security = off"
)
AFTERWARDS = (
    "RESET search_path; RESET enable_indexscan; RESET enable_indexonlyscan;"
    " RESET enable_bitmapscan; RESET row_security"
)


@dataclass(frozen=True, slots=True)
class Column:
    """A column's type and, if it is generated, its kind and expression."""

    type: str
    generated: str
    expression: str


@dataclass(frozen=True, slots=True)
class Contents:
    """A table's columns, its key's columns, and its rows as texts, sorted."""

    columns: Mapping[str, Column]
    key: tuple[str, ...]
    rows: list[tuple[str | None, ...]]

    def of(self, names: list[str]) -> list[tuple[str | None, ...]]:
        """Return some columns of the rows, sorted."""
        places = [list(self.columns).index(name) for name in names]
        return sorted((tuple(row[place] for place in places) for row in self.rows), key=repr)


@dataclass(frozen=True, slots=True)
class State:
    """The contents of a database.

    `sequences` have the last value, is_called and the next value; `orphans` are how many rows
    violate each valid foreign key, `doubles` how many values violate each unique index.
    """

    tables: Mapping[str, Contents]
    sequences: Mapping[str, tuple[str, str, str]]
    orphans: Mapping[str, int]
    doubles: Mapping[str, int]

    @classmethod
    def of(cls, connection: Any) -> "State":
        """Read a database over an autocommitting connection."""
        with connection.cursor() as cursor:
            cursor.execute(WITHOUT_INDEXES)
            state = cls(
                dict(_tables(cursor)),
                {name: _row(cursor, query) for name, query in _listed(cursor, "list_sequences")},
                {
                    name: int(_row(cursor, query)[0])
                    for name, _, query in _listed(cursor, "list_foreign_keys")
                },
                {
                    name: int(_row(cursor, query)[0])
                    for name, query in _listed(cursor, "list_uniques")
                },
            )
            cursor.execute(AFTERWARDS)
        return state


def _listed(cursor: Any, name: str) -> list[tuple[Any, ...]]:
    cursor.execute((QUERIES / f"{name}.sql").read_text())
    rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def _row(cursor: Any, query: str) -> Any:
    cursor.execute(query)
    return cursor.fetchone()


def _tables(cursor: Any) -> Iterator[tuple[str, Contents]]:
    for name, is_partitioned, columns, key in _listed(cursor, "list_tables"):
        names = ", ".join(f'"{column[0]}"' for column in columns)
        only = "" if is_partitioned else "ONLY"
        lines = io.StringIO()
        cursor.copy_expert(f"COPY (SELECT {names} FROM {only} {name}) TO STDOUT", lines)
        rows = [
            tuple(None if value == r"\N" else value for value in line.split("\t"))
            for line in lines.getvalue().split("\n")[:-1]
        ]
        described = {column[0]: Column(*column[1:]) for column in columns}
        yield name, Contents(described, tuple(key), sorted(rows, key=repr))


@dataclass(frozen=True, slots=True)
class Rules:
    """The names of tables that are excluded, and of columns that are kept."""

    excluded: frozenset[str]
    kept: frozenset[str]

    @classmethod
    def of(cls, text: str) -> "Rules":
        """Return the rules in a JSON text."""
        rules = json.loads(text or "{}")
        return cls(
            frozenset(map(_plain, rules.get("exclude", ()))),
            frozenset(map(_plain, rules.get("keep", ()))),
        )


def _plain(name: str) -> str:
    """Return a name, which is always quoted in rules, as PostgreSQL's %I writes it."""
    parts = re.findall(r'"(?:[^"]|"")*"|[^.]+', name)
    return ".".join(
        part[1:-1] if re.fullmatch(r'"[a-z]+"', part) and part != '"order"' else part
        for part in parts
    )


def differing(source: State, target: State, before: State, rules: Rules) -> list[str]:
    """Return what a sync should have done and has not done, as sentences.

    Args:
        source: the source.
        target: the target, after the sync.
        before: the target, before it.
        rules: the sync's rules.
    """
    found = []
    excluded = rules.excluded
    for name, table in target.tables.items():
        if name in excluded or name not in source.tables:
            if table != before.tables[name]:
                found.append(f"{name} is excluded and has changed")
            continue
        found += _differing_rows(name, source.tables[name], table, before.tables[name], rules.kept)
    for name, numbers in target.sequences.items():
        theirs = source.sequences.get(name)
        if theirs and not excluded and numbers[2] != theirs[2]:
            found.append(f"sequence {name} continues with {numbers[2]} and not with {theirs[2]}")
    return found


def _differing_rows(
    name: str, source: Contents, target: Contents, before: Contents, kept: frozenset[str]
) -> Iterator[str]:
    own = [
        column
        for column in target.columns
        if f"{name}.{column}" in kept
        or (column not in source.columns and not target.columns[column].generated)
    ]
    compared = [
        column
        for column, ours in target.columns.items()
        if column in source.columns
        and column not in own
        and (not ours.generated or ours == source.columns[column])
    ]
    if source.of(compared) != target.of(compared):
        missing, more = _apart(source.of(compared), target.of(compared))
        yield f"{name} ({', '.join(compared)}) lacks {missing} and has instead {more}"
    if target.key and own and set(target.key) <= set(compared):
        now = {row[: len(target.key)]: row for row in target.of([*target.key, *own])}
        then = {row[: len(target.key)]: row for row in before.of([*target.key, *own])}
        lost = [key for key in now.keys() & then.keys() if not _is_kept(then[key], now[key])]
        if lost:
            yield f"{name} has lost the target's own {', '.join(own)} of {lost}"


def _is_kept(then: tuple[str | None, ...], now: tuple[str | None, ...]) -> bool:
    """Return whether kept values are unchanged or unlinked, as a unique constraint may require."""
    return all(
        after in (before, None) or (after or "").startswith("unlinked:")
        for before, after in zip(then, now, strict=True)
    )


def _apart(one: list[Any], other: list[Any]) -> tuple[list[Any], list[Any]]:
    """Return a few of the items that only one of two lists has."""
    left = list(one)
    more = []
    for row in other:
        if row in left:
            left.remove(row)
        else:
            more.append(row)
    return left[:3], more[:3]


def broken(target: State, before: State, warnings: str) -> list[str]:
    """Return which constraints of the target no longer hold without a warning."""
    found = [
        f"{count} rows violate the valid foreign key {name}, without a warning"
        for name, count in target.orphans.items()
        if count > before.orphans.get(name, 0) and name.split()[-1].strip('"') not in warnings
    ]
    found += [
        f"{count} values are duplicates in the unique index {name}"
        for name, count in target.doubles.items()
        if count > before.doubles.get(name, 0)
    ]
    return found


def difference(before: str, after: str) -> str:
    """Return the lines in which two texts differ."""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), n=1, lineterm="")
    return "\n".join(lines)
