"""A table's rows in ranges of some tens of rows, so that a small change makes little dirty.

Where the key is one integer and its values lie close together, a range is `key >> shift`: an
index finds its rows. Other keys are spread over ranges by a hash. A table without a key, or
with a few rows, is one range.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from psycopg2 import sql

from common.database import Session
from db_sync.plan import PlannedColumn, TablePlan
from db_sync.row_hash import ValueOf, row_hash
from db_sync.statements import source_value, statement, table_rows

ROWS_PER_RANGE = 64
# Beyond that many key values per row, ranges by value would be mostly empty or very uneven.
SPARSE = 1024
GREATEST = 2**63 - 1  # of a bigint
INTEGERS = frozenset({"smallint", "integer", "bigint"})


@dataclass(frozen=True, slots=True)
class Ranges:
    """How a table is divided: by `shift` of its one integer key, or by hash into `count`."""

    plan: TablePlan
    shift: int | None = None
    count: int = 1

    def number(self, value_of: ValueOf) -> sql.Composable:
        """Return the SQL for the number (bigint) of the range that a row is in."""
        if self.shift is not None:
            (key,) = _key_columns(self.plan)
            return sql.SQL("({}::bigint >> {})").format(value_of(key), sql.Literal(self.shift))
        if self.count == 1:
            return sql.SQL("0::bigint")
        return sql.SQL("({} & {})").format(
            row_hash(_key_columns(self.plan), value_of), sql.Literal(self.count - 1)
        )

    def contain(self, value_of: ValueOf) -> sql.Composable:
        """Return the condition that a row is in the range `r` of `rows_of`."""
        if self.shift is not None:
            (key,) = _key_columns(self.plan)
            return sql.SQL("{} BETWEEN r.low AND r.high").format(value_of(key))
        return sql.SQL("{} = r.number").format(self.number(value_of))

    def rows_of(self, numbers: Sequence[int]) -> list[tuple[int, int, int]]:
        """Return number, lowest and highest key of ranges; the keys mean nothing by hash."""
        shift = self.shift or 0
        return [
            (number, number << shift, min(((number + 1) << shift) - 1, GREATEST))
            for number in numbers
        ]


def divide(source: Session, plan: TablePlan) -> Ranges:
    """Return how to divide a table, by the source's statistics, its least and greatest key."""
    if not plan.has_key:
        return Ranges(plan)
    (rows,) = source.row(statement("estimate_rows", {}), [plan.source.oid])
    if rows <= ROWS_PER_RANGE:
        return Ranges(plan)
    by_hash = Ranges(plan, count=1 << (rows // ROWS_PER_RANGE).bit_length())
    columns = _key_columns(plan)
    if len(columns) > 1 or columns[0].base_type not in INTEGERS or columns[0].conversion:
        return by_hash
    least, greatest = source.row(
        sql.SQL("SELECT min({0}), max({0}) FROM {1} t").format(
            source_value(columns[0]), table_rows(plan.source)
        )
    )
    if least is None or (greatest - least) // rows > SPARSE:
        return by_hash
    width = max(1, ROWS_PER_RANGE * (greatest - least + 1) // rows)
    # Rounded: 63 keys a range are near to 64 and not to 32.
    return Ranges(plan, shift=round(math.log2(width)))


def _key_columns(plan: TablePlan) -> list[PlannedColumn]:
    columns = {column.name: column for column in plan.compared}
    return [columns[name] for name in plan.target.key]
