"""What a sync in parts is divided into: sections of tables that are made equal, and checks.

Their JSON is in the exchange bucket and nowhere else: bounds are keys of rows, and a key may be
personal.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, Self

from psycopg2 import sql

from common.postgres.names import Name
from db_sync.plan.catalog import Section
from db_sync.plan.tables import TablePlan

MOST_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class KeyColumn:
    """A column of a key: its type for a literal, and the collation that bounds are compared by.

    The collation is SQL; None where the column has none, or where its own is the same on both
    sides.
    """

    name: str
    type: str
    collation: str | None

    @property
    def value(self) -> sql.Composable:
        """The column's value in row `t`, as it is compared with bounds."""
        value = sql.Identifier("t", self.name)
        if self.collation is None:
            return value
        return sql.SQL("{} COLLATE {}").format(value, sql.SQL(self.collation))


@dataclass(frozen=True, slots=True)
class Bounds:
    """A range of a table's key: from `low` on and below `high`; None: open-ended.

    Both are the text of a value for each column.
    """

    columns: tuple[KeyColumn, ...]
    low: tuple[str, ...] | None
    high: tuple[str, ...] | None

    @property
    def condition(self) -> sql.Composable:
        """The condition that a row `t` is in the range, which an index on the key serves."""
        conditions = [
            self._compared(operator, values)
            for operator, values in ((">=", self.low), ("<", self.high))
            if values is not None
        ]
        return sql.SQL(" AND ").join(conditions or [sql.SQL("true")])

    def _compared(self, operator: str, values: tuple[str, ...]) -> sql.Composable:
        literals = [
            sql.SQL("{}::{}").format(sql.Literal(value), sql.SQL(column.type))
            for column, value in zip(self.columns, values, strict=True)
        ]
        own = [column.value for column in self.columns]
        if len(own) == 1:
            return sql.SQL("{} {} {}").format(own[0], sql.SQL(operator), literals[0])
        comma = sql.SQL(", ")
        return sql.SQL("ROW({}) {} ROW({})").format(
            comma.join(own), sql.SQL(operator), comma.join(literals)
        )


@dataclass(frozen=True, slots=True)
class Part:
    """Some tables, or one table's rows in the bounds of a key, that are made equal together.

    `seconds`: how long that is expected to take. `divisible`: the bounds that narrower ones divide,
    where that is possible: open-ended for a whole table. `about_rows`: the source's rows in them.
    `attempt`: how many times it has been begun, with this one.
    """

    number: int
    tables: tuple[Name, ...]
    seconds: float
    bounds: Bounds | None = None
    divisible: Bounds | None = None
    about_rows: int = 0
    attempt: int = 1

    def applied(self, plan: TablePlan) -> TablePlan:
        """Return the plan of one of its tables, for the rows in its bounds."""
        if self.bounds is None:
            return plan
        section = Section(self.bounds.condition, self.about_rows)
        return replace(
            plan,
            source=replace(plan.source, section=section),
            target=replace(plan.target, section=section),
        )


@dataclass(frozen=True, slots=True)
class RowCount:
    """A check: how many rows one side's table has in some of its blocks.

    `end`: the block after the last one; None: open-ended. `seconds`: how long that is expected to
    take. The table is read itself, without an index, which may lack rows.
    """

    number: int
    side: Literal["source", "target"]
    table: Name
    is_partitioned: bool
    first: int
    end: int | None
    seconds: float
    attempt: int = 1


@dataclass(frozen=True, slots=True)
class KeyCheck:
    """A check: how many rows in some blocks of a child table break a foreign key of the target.

    The other fields are those of `RowCount`.
    """

    number: int
    table: Name
    key: str
    first: int
    end: int | None
    seconds: float
    attempt: int = 1


type Piece = Part | RowCount | KeyCheck
KINDS: dict[str, type[Part | RowCount | KeyCheck]] = {
    "part": Part,
    "row_count": RowCount,
    "key_check": KeyCheck,
}


@dataclass(frozen=True, slots=True)
class Division:
    """How a sync is divided.

    `tables` are all that are synced, which keepers lock. `definition` tells the plan that it was
    made for from others. `has_policies`: whether some of production's tables are read through
    policies, which show us every row. `started`: when the sync began, in seconds of Unix time.
    `last_number`: the greatest number that a piece has had so far. `most_attempts`: how many
    attempts a piece may have.
    """

    tables: tuple[Name, ...]
    definition: str
    has_policies: bool
    started: float
    last_number: int
    pieces: tuple[Piece, ...]
    most_attempts: int = MOST_ATTEMPTS

    @property
    def parts(self) -> list[Part]:
        """The parts, without the checks."""
        return [piece for piece in self.pieces if isinstance(piece, Part)]

    @property
    def checks(self) -> list[RowCount | KeyCheck]:
        """The checks, without the parts."""
        return [piece for piece in self.pieces if not isinstance(piece, Part)]

    def exchanging(self, numbers: Collection[int], parts: Sequence[Part]) -> Self:
        """Return it with others instead of some parts, and without checks: they come later."""
        left = [part for part in self.parts if part.number not in numbers]
        last = max([self.last_number, *(part.number for part in parts)])
        return replace(self, pieces=(*left, *parts), last_number=last)

    def repeating(self, numbers: Collection[int]) -> Self:
        """Return it with another attempt for some checks."""
        return replace(
            self,
            pieces=tuple(
                replace(piece, attempt=piece.attempt + 1) if piece.number in numbers else piece
                for piece in self.pieces
            ),
        )

    def reopened(self) -> Self:
        """Return it for a redrive, in which each piece has as many attempts again."""
        last = max(piece.attempt for piece in self.pieces)
        return replace(self, most_attempts=last + MOST_ATTEMPTS)

    def with_checks(self, checks: Sequence[RowCount | KeyCheck]) -> Self:
        """Return it with checks, which get numbers of their own."""
        numbered = [
            replace(check, number=number)
            for number, check in enumerate(checks, start=self.last_number + 1)
        ]
        return replace(
            self,
            last_number=self.last_number + len(checks),
            pieces=(*self.parts, *numbered),
        )

    def piece(self, number: int) -> Piece:
        """Return the piece with a number."""
        return next(piece for piece in self.pieces if piece.number == number)

    def as_json(self) -> dict[str, Any]:
        """Return it as a JSON object, which `parse` reads."""
        pieces = [
            {"kind": kind, **asdict(piece)}
            for piece in self.pieces
            for kind, piece_type in KINDS.items()
            if isinstance(piece, piece_type)
        ]
        return {
            "tables": self.tables,
            "definition": self.definition,
            "has_policies": self.has_policies,
            "started": self.started,
            "last_number": self.last_number,
            "pieces": pieces,
            "most_attempts": self.most_attempts,
        }

    @classmethod
    def parse(cls, content: bytes) -> Self:
        """Return the division in a file that `as_json` was written to."""
        found = json.loads(content)
        return cls(
            tuple(Name(*name) for name in found["tables"]),
            found["definition"],
            found["has_policies"],
            found["started"],
            found["last_number"],
            tuple(_piece(piece) for piece in found["pieces"]),
            found["most_attempts"],
        )


def _piece(found: dict[str, Any]) -> Piece:
    kind = KINDS[found.pop("kind")]
    if kind is not Part:
        return kind(**{**found, "table": Name(*found["table"])})
    tables = tuple(Name(*name) for name in found.pop("tables"))
    bounds, divisible = _bounds(found.pop("bounds")), _bounds(found.pop("divisible"))
    return Part(tables=tables, bounds=bounds, divisible=divisible, **found)


def _bounds(found: Mapping[str, Any] | None) -> Bounds | None:
    if found is None:
        return None
    low, high = (tuple(found[end]) if found[end] is not None else None for end in ("low", "high"))
    return Bounds(tuple(KeyColumn(**column) for column in found["columns"]), low, high)
