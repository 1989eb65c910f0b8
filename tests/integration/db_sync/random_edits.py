"""A row of a random table, and the edits by which the rows of two sides diverge."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import count

from hypothesis import strategies as st

# A row's key is made from its number. There are few numbers, so that several edits change the same
# row. Those of a table with many ranges begin at MANY.
MANY = 100
NUMBERS = st.integers(0, 9) | st.integers(MANY, MANY + 3)


@dataclass(frozen=True, slots=True)
class Row:
    """A row; `wanted` has the numbers of the rows that its references should point to."""

    n: int | None
    values: tuple[str, ...]  # SQL literals
    wanted: tuple[int, ...]
    u: int | None = None
    kept: str = ""
    own: str = ""


type Rows = dict[int, Row]
type Edit = tuple[Callable[[Rows, int, int, Row], None], int, int, Row]


def edited(start: Rows, edits: Sequence[Edit]) -> Rows:
    """Return a side's rows: those of `start`, with unique values, after some edits."""
    rows = {
        number: replace(row, u=number, kept=f"kept {number}", own=f"own {number}")
        for number, row in start.items()
    }
    for edit, number, other, fresh in edits:
        if edit is _insert or not rows:
            _insert(rows, number, other, fresh)
        else:
            edit(rows, _existing(rows, number), other, fresh)
    return rows


def _existing(rows: Rows, number: int) -> int:
    """Return the number of an existing row: the given one if it exists."""
    return number if number in rows else list(rows)[number % len(rows)]


def _insert(rows: Rows, number: int, _: int, fresh: Row) -> None:
    if number not in rows:
        is_used = number in {row.u for row in rows.values()}
        kept = _unused_name(rows, number)
        rows[number] = replace(fresh, u=None if is_used else number, kept=kept, own="inserted")


def _update(rows: Rows, number: int, _: int, fresh: Row) -> None:
    rows[number] = replace(rows[number], n=fresh.n, values=fresh.values)


def _refer(rows: Rows, number: int, _: int, fresh: Row) -> None:
    rows[number] = replace(rows[number], wanted=fresh.wanted)


def _update_all(rows: Rows, _: int, other: int, __: Row) -> None:
    rows |= {number: replace(row, n=other) for number, row in rows.items()}


def _delete(rows: Rows, number: int, _: int, __: Row) -> None:
    del rows[number]


def _delete_all(rows: Rows, _: int, __: int, ___: Row) -> None:
    rows.clear()


def _change_key(rows: Rows, number: int, other: int, _: Row) -> None:
    if other not in rows:
        rows[other] = rows.pop(number)


def _swap_unique(rows: Rows, number: int, other: int, _: Row) -> None:
    other = _existing(rows, other)
    one, two = rows[number], rows[other]
    rows |= {number: replace(one, u=two.u), other: replace(two, u=one.u)}


def _forget_unique(rows: Rows, number: int, _: int, __: Row) -> None:
    rows[number] = replace(rows[number], u=None)


def _link(rows: Rows, number: int, other: int, _: Row) -> None:
    rows[number] = replace(rows[number], kept=_unused_name(rows, other))


def _take(rows: Rows, number: int, other: int, _: Row) -> None:
    """Delete another row and take its unique values."""
    other = _existing(rows, other)
    if other != number:
        gone = rows.pop(other)
        rows[number] = replace(rows[number], u=gone.u, kept=gone.kept)


PLAIN = (_insert, _update, _delete)
# The edits that a table's side may get. If all are allowed, few of them are plain, so there are
# also groups of a few edits.
EDITS = (
    (
        *(*PLAIN, _update_all, _delete_all, _change_key, _refer),
        *(_swap_unique, _forget_unique, _link, _take, _take),
    ),
    PLAIN,
    (_update,),
    (_take,),
    (_swap_unique, _change_key),
)


def _unused_name(rows: Rows, number: int) -> str:
    used = {row.kept for row in rows.values()}
    return next(
        name for name in (f"kept {number}" + "!" * tries for tries in count()) if name not in used
    )
