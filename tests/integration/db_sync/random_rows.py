"""Random rows of two sides that were equal once and diverged, and the expected result of a sync."""

from collections.abc import Sequence
from itertools import chain

from hypothesis import strategies as st

from tests.integration.db_sync.random_edits import EDITS, MANY, NUMBERS, Row, Rows, edited
from tests.integration.db_sync.random_tables import (
    GENERATED,
    KEYS,
    VALUES,
    Reference,
    Table,
    quoted,
    reference_columns,
)

UNLINKED = "unlinked:"


class Sides:
    """The rows of all tables on both sides; its repr is short, since there can be very many."""

    def __init__(self) -> None:
        self.source: list[Rows] = []
        self.target: list[Rows] = []

    def __repr__(self) -> str:
        return f"<{sum(map(len, self.source))} and {sum(map(len, self.target))} rows>"


@st.composite
def random_sides(draw: st.DrawFn, tables: Sequence[Table]) -> Sides:
    """Return rows for tables; both sides begin with the same rows and are then edited."""
    sides = Sides()
    for table in tables:
        row = _row(table)
        start = draw(_many(row)) | draw(st.dictionaries(NUMBERS, row, min_size=2, max_size=6))
        for side in (sides.source, sides.target):
            edit = st.tuples(st.sampled_from(draw(st.sampled_from(EDITS))), NUMBERS, NUMBERS, row)
            fewest = draw(st.sampled_from([3, 1, 0]))
            side.append(edited(start, draw(st.lists(edit, min_size=fewest, max_size=6))))
    for side in (sides.source, sides.target):
        _drop_orphans(tables, side)
    return sides


def insert(tables: Sequence[Table], side: Sequence[Rows], *, is_target: bool) -> str:
    """Return the statements that insert one side's rows; all foreign keys hold at the end."""
    statements = ["SET session_replication_role = replica"]
    for table, rows in zip(tables, side, strict=True):
        found = [_literals(tables, side, table, row, is_target=is_target) for row in rows.items()]
        if found:
            values = ", ".join(f"({', '.join(row.values())})" for row in found)
            statements.append(
                f"INSERT INTO {quoted(table.name)} ({', '.join(found[0])})"
                f" OVERRIDING SYSTEM VALUE VALUES {values}"
            )
    return ";".join(statements)


def targets_columns(table: Table) -> list[str]:
    """Return the key's columns and those that are not copied, or only in some rows."""
    optional = {"kept": table.kept, "own": table.own, "g": table.target.generated}
    return [*KEYS[table.key], *(name for name, kind in optional.items() if kind)]


def expected(
    table: Table, source: Rows, target: Rows, *, is_changed: bool
) -> list[tuple[str | None, ...]]:
    """Return the values of `targets_columns` after a sync, in any order.

    Args:
        table: the table.
        source: its rows in the source.
        target: its rows in the target before the sync.
        is_changed: whether the copied columns of both sides differed.
    """
    if table.key == "none":  # all rows are replaced or none, since nothing identifies a row
        survivors = {} if is_changed else target
        source = source if is_changed else target
    else:
        survivors = target
    brought = {row.kept for number, row in source.items() if number not in survivors}
    found = []
    for number, row in source.items():
        key = [literal.strip("'") for literal in _key(table, number).values()]
        mine = survivors.get(number)
        kept = _kept(table, row, mine, brought)
        own = mine.own if mine else ("fresh" if table.own and "DEFAULT" in table.own else None)
        rest = {"kept": kept, "own": own, "g": _generated(table, row)}
        found.append((*key, *(rest[name] for name in targets_columns(table)[len(key) :])))
    return found


def _row(table: Table) -> st.SearchStrategy[Row]:
    return st.builds(
        Row,
        n=st.none() | st.integers(0, 3),
        values=st.tuples(*(VALUES[kind] for kind in table.values)),
        wanted=st.tuples(*(NUMBERS for _ in table.references)),
    )


@st.composite
def _many(draw: st.DrawFn, row: st.SearchStrategy[Row]) -> Rows:
    """Return the rows of a table with many ranges, by value or by hash; usually none."""
    rows = draw(st.sampled_from([0, 0, 0, 0, 150, 300]))
    like = draw(row) if rows else None
    step = draw(st.sampled_from([1, 5000])) if rows else 1
    return {MANY + number * step: like for number in range(rows) if like}


def _drop_orphans(tables: Sequence[Table], side: Sequence[Rows]) -> None:
    """Drop rows that need a parent and cannot have one, and rows that then lack theirs."""
    is_done = False
    while not is_done:
        is_done = True
        for table, rows in zip(tables, side, strict=True):
            for number in [number for number, row in rows.items() if _is_orphan(table, side, row)]:
                del rows[number]
                is_done = False


def _is_orphan(table: Table, side: Sequence[Rows], row: Row) -> bool:
    return any(
        reference.is_required and _parent(side, reference, wanted) is None
        for reference, wanted in zip(table.references, row.wanted, strict=True)
    )


def _parent(side: Sequence[Rows], reference: Reference, wanted: int) -> int | None:
    """Return the number of the row that a reference points to: the wanted one if possible."""
    parents = side[reference.parent]
    numbers = [wanted] if wanted in parents else []
    candidates = chain(numbers, parents if reference.is_required else [])
    return next(
        (
            number
            for number in candidates
            if not reference.to_unique or parents[number].u is not None
        ),
        None,
    )


def _key(table: Table, number: int) -> dict[str, str]:
    """Return the literals of a row's key columns."""
    match table.key:
        case "int" | "identity":
            return {"id": str(number)}
        case "text":
            return {"id": f"'key {number}'"}
        case "pair":
            return {"id": str(number // 4), "part": f"'{number % 4}'"}
        case _:  # two rows have the same
            return {"id": str(number % 5)}


def _literals(
    tables: Sequence[Table],
    side: Sequence[Rows],
    table: Table,
    numbered: tuple[int, Row],
    *,
    is_target: bool,
) -> dict[str, str]:
    """Return a row's SQL literals by column."""
    number, row = numbered
    literals = _key(table, number) | {"n": _literal(row.n)}
    literals |= {f"c{position}": value for position, value in enumerate(row.values)}
    literals |= {"u": _literal(row.u)} if table.unique else {}
    for position, reference in enumerate(table.references):
        parent = _parent(side, reference, row.wanted[position])
        for column in reference_columns(tables, reference):
            value = "NULL"
            if parent is not None:
                pointed = {"u": _literal(side[reference.parent][parent].u)}
                value = (_key(tables[reference.parent], parent) | pointed)[column]
            literals[f"r{position}_{column}"] = value
    literals |= {"kept": _literal(row.kept)} if table.kept else {}
    return literals | ({"own": _literal(row.own)} if table.own and is_target else {})


def _literal(value: object) -> str:
    if value is None:
        return "NULL"
    return str(value) if isinstance(value, int) else f"'{value}'"


def _kept(table: Table, row: Row, mine: Row | None, brought: set[str]) -> str | None:
    """Return the kept column's value: the target's, unless a new row takes it."""
    if mine is None:
        return row.kept
    if "UNIQUE" in (table.kept or "") and mine.kept in brought:
        return UNLINKED if "NOT NULL" in (table.kept or "") else None
    return mine.kept


def _generated(table: Table, row: Row) -> str | None:
    """Return the value of g: computed by the target, or else by the source, if either does."""
    factor = GENERATED[table.target.generated or "bigint"]
    if factor is None:
        factor = GENERATED[table.source.generated or "bigint"]
    return None if factor is None or row.n is None else str(row.n * factor)
