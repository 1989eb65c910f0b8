"""A table's rows in ranges of about 64 rows, so that a small change affects few of them.

If the key is one integer whose values are close together, a range is `key >> shift`, and an index
finds its rows. Other keys are assigned to ranges by a hash. A table without a key, or with few
rows, is one range.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from psycopg2 import sql

from common.postgres.database import Session
from common.postgres.queries import load_query
from common.postgres.settings.function_names import catalog_rows
from db_sync.compare.row_hash import ValueOf, row_hash
from db_sync.plan.catalog import Table
from db_sync.plan.rows import (
    found_rows_to_compare,
    rows_to_compare,
    rows_with_places,
    table_rows,
)
from db_sync.plan.tables import PlannedColumn, TablePlan
from db_sync.statements import source_value
from db_sync.tuning import Tuning

# Beyond that many key values per row, ranges by value would be mostly empty or very uneven.
SPARSE = 1024
GREATEST = 2**63 - 1  # of a bigint
PARTS_SHIFT = 3
PARTS = 1 << PARTS_SHIFT
INTEGERS = frozenset({"smallint", "integer", "bigint"})


@dataclass(frozen=True, slots=True)
class Ranges:
    """How a table is divided: by `shift` of its only key column, or by hash into `count` ranges.

    With `shift`, the source's ranges have the numbers from `least` to `greatest`.
    """

    plan: TablePlan
    shift: int | None = None
    count: int = 1
    least: int = 0
    greatest: int = 0

    @property
    def divided(self) -> "Ranges | None":
        """The same table in `PARTS` ranges for each of these; None if these cannot be divided."""
        if self.shift is None:
            return replace(self, count=self.count * PARTS) if self.count > 1 else None
        if self.shift < PARTS_SHIFT:
            return None
        return replace(
            self,
            shift=self.shift - PARTS_SHIFT,
            least=self.least << PARTS_SHIFT,
            greatest=((self.greatest + 1) << PARTS_SHIFT) - 1,
        )

    def number(self, value_of: ValueOf) -> sql.Composable:
        """Return the SQL for the number (bigint) of the range that a row is in."""
        if self.shift is not None:
            (key,) = key_columns(self.plan)
            return sql.SQL("({}::bigint >> {})").format(value_of(key), sql.Literal(self.shift))
        if self.count == 1:
            return sql.SQL("0::bigint")
        return sql.SQL("({} & {})").format(
            row_hash(key_columns(self.plan), value_of), sql.Literal(self.count - 1)
        )

    def reads_index(self, numbers: Sequence[int] | None) -> bool:
        """Return whether the rows of some ranges (None: of all) are found through an index."""
        return self.shift is not None and numbers is not None

    def rows(
        self, table: Table, value_of: ValueOf, numbers: Sequence[int] | None
    ) -> sql.Composable:
        """Return the rows of some ranges (None: of all) as the FROM item `t`.

        Args:
            table: the source's or the target's.
            value_of: the value of its columns.
            numbers: of the ranges.
        """
        all_rows = sql.SQL("{} t").format(rows_to_compare(table))
        if numbers is None:
            return all_rows
        if self.shift is None:
            return sql.SQL("{} JOIN {} ON {} = r.number").format(
                _listed(numbers, 0), all_rows, self.number(value_of)
            )
        (key,) = key_columns(self.plan)
        # OFFSET 0 makes the planner use one index scan per range: it estimates a ninth of the table
        # for a range between two unknown keys, and would read the whole table instead. It also
        # makes the join check the row's own range, since a broken index may lead to another row.
        found = sql.SQL(
            "{} JOIN LATERAL (SELECT {} FROM {} t"
            " WHERE {} BETWEEN r.low AND r.high OFFSET 0) t ON {} = r.number"
        ).format(
            _listed(numbers, self.shift),
            rows_with_places(table),
            table_rows(table),
            value_of(key),
            self.number(value_of),
        )
        return found_rows_to_compare(table, found)

    def are_of(self, value_of: ValueOf, numbers: Sequence[int]) -> sql.Composable:
        """Return the condition that a row `t` is in one of some ranges, which needs no index."""
        listed = sql.Literal("{" + ",".join(map(str, numbers)) + "}")
        condition = sql.SQL("{} = ANY ({}::bigint[])").format(self.number(value_of), listed)
        if self.shift is None:
            return condition
        # Most rows are outside of these bounds, which takes less time to find out.
        (key,) = key_columns(self.plan)
        return sql.SQL("{} BETWEEN {} AND {} AND {}").format(
            value_of(key),
            sql.Literal(min(numbers) << self.shift),
            sql.Literal(min(((max(numbers) + 1) << self.shift) - 1, GREATEST)),
            condition,
        )

    def row_hashes(
        self, table: Table, value_of: ValueOf, numbers: Sequence[int] | None = None
    ) -> sql.Composable:
        """Return the query for the hashes of rows and of their keys.

        Where the table has no key, the row's own hash stands for the key's.
        """
        row = row_hash(self.plan.compared, value_of)
        identity = row_hash(key_columns(self.plan), value_of) if self.plan.has_key else row
        return sql.SQL("SELECT {} AS identity, {} AS hash FROM {}").format(
            identity, row, self.rows(table, value_of, numbers)
        )

    def sample(self, size: int) -> list[int]:
        """Return the numbers of some ranges, spread over all of them."""
        count = self.count if self.shift is None else self.greatest - self.least + 1
        return sorted({self.least + count * each // size for each in range(size)})


def _listed(numbers: Sequence[int], shift: int) -> sql.Composable:
    """Return ranges as the FROM item `r`: their number, least and greatest key."""
    bounds = [
        (number, number << shift, min(((number + 1) << shift) - 1, GREATEST)) for number in numbers
    ]
    # Array literals, not ARRAY[…], are one constant to the parser, however long.
    arrays = (
        sql.Literal("{" + ",".join(map(str, column)) + "}") for column in zip(*bounds, strict=True)
    )
    return sql.SQL("unnest({}::bigint[], {}::bigint[], {}::bigint[]) r (number, low, high)").format(
        *arrays
    )


def estimate_rows(source: Session, plans: Sequence[TablePlan]) -> dict[int, int]:
    """Return the estimated numbers of rows of the source's tables, by oid."""
    query = load_query("db_sync/compare", "estimate_rows")
    rows: dict[int, int] = dict(catalog_rows(source, query, [[plan.source.oid for plan in plans]]))
    sections = {plan.source.oid: plan.source.section for plan in plans if plan.source.section}
    return rows | {oid: section.about_rows for oid, section in sections.items()}


def divide(source: Session, plan: TablePlan, rows: int, tuning: Tuning) -> Ranges:
    """Return how to divide a table of about `rows` rows, by its least and greatest key."""
    if not plan.has_key or rows <= tuning.rows_per_range:
        return Ranges(plan)
    by_hash = Ranges(plan, count=1 << (rows // tuning.rows_per_range).bit_length())
    columns = key_columns(plan)
    is_one_integer = len(columns) == 1 and columns[0].base_type in INTEGERS
    if rows < tuning.min_rows_for_key_ranges or not is_one_integer:
        return by_hash
    if columns[0].conversion or columns[0].mask:  # no index finds these values
        return by_hash
    if not plan.source.columns[columns[0].name].is_required:
        return by_hash  # the key may be NULL in the source, and the row in no range of values
    least, greatest = source.row(
        sql.SQL("SELECT pg_catalog.min({0}), pg_catalog.max({0}) FROM {1} t").format(
            source_value(columns[0]), table_rows(plan.source)
        )
    )
    if least is None or (greatest - least) // rows > SPARSE:
        return by_hash
    width = max(1, tuning.rows_per_range * (greatest - least + 1) // rows)
    # Rounded: 63 keys per range become 64 and not 32.
    shift = round(math.log2(width))
    return Ranges(plan, shift=shift, least=least >> shift, greatest=greatest >> shift)


def key_columns(plan: TablePlan) -> list[PlannedColumn]:
    """Return the columns of a table's key in the key's order; the table must have one."""
    columns = {column.name: column for column in plan.compared}
    return [columns[name] for name in plan.target.key]
