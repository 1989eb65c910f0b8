"""Counts on the source how many of a column's values are subs; no value leaves it.

Values are those in the planner's statistics, which one query reads for all columns. Where these
have none of a column, as before the first ANALYZE, a sample of its rows is read.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import batched, groupby
from typing import NamedTuple

from psycopg2 import sql

from common.emails import BYTEWISE
from common.errors import ConfigurationError, OutOfTime
from common.follow.substitution import UUID_FORM
from common.postgres.database import Session
from common.postgres.names import Name
from db_sync.brief_locks import AT_ONCE
from db_sync.compare.ranges import estimate_rows
from db_sync.follow.candidates import Candidate, Sub
from db_sync.plan.catalog import Table
from db_sync.plan.rows import table_rows
from db_sync.plan.tables import TablePlan
from db_sync.planner import sorting
from db_sync.sampling import ask, limited, sampled_rows
from db_sync.statements import statement

# Values in the statistics that are looked up among the subs: of all columns, and of each.
MOST_VALUES, LEAST_OF_COLUMN, MOST_OF_COLUMN = 20_000, 10, 200
ROWS = 50
# Bytes of a value, as it is stored, that is read from a row: a longer one is no sub, or no small
# array or document.
MOST_BYTES = {"sub": 128, "array": 16_384, "json": 16_384}


class Count(NamedTuple):
    """A row of count_subs.sql: what a candidate holds, by its number.

    `subs`: how many of the different `values` are subs; `are_keys`: whether some of those are keys
    of the sub column's table too.
    """

    number: int
    values: int
    subs: int
    are_keys: bool


class Counting:
    """Counts the subs of one sub column.

    Attributes:
        slow: tables that did not answer in time.
    """

    def __init__(self, source: Session, sub: Sub, key: Sequence[str]) -> None:
        """Take the session, in a transaction; the sub column; its table's key that is like it."""
        self._source = source
        self._sub = sub
        self._key = key
        self.slow: set[Name] = set()

    def count(self, candidates: Sequence[Candidate]) -> list[Count]:
        """Return the counts of the candidates that hold anything, in their order."""
        counts = self._in_statistics(candidates)
        known = {count.number for count in counts}
        others = [each for each in enumerate(candidates) if each[0] not in known]
        return sorted(counts + self._in_rows(others))

    def is_sub(self, value: sql.Composable) -> sql.Composable:
        """Return the condition that a text, of the form of a sub, is one of a row `t` of users.

        An index serves it, if the sub column has one and not a collation of its own.
        """
        own = sql.Identifier("t", self._sub.column.name)
        if self._sub.is_uuid:
            return sql.SQL("{} = {}::uuid").format(own, value)
        return sql.SQL('{}::text = {} COLLATE pg_catalog."default"').format(own, value)

    @property
    def users(self) -> sql.Composable:
        """The rows of the sub column's table, as a FROM item without an alias."""
        return table_rows(self._sub.table.source)

    def _in_statistics(self, candidates: Sequence[Candidate]) -> list[Count]:
        """Count in the statistics; columns that these do not know are missing."""
        of_column = min(MOST_OF_COLUMN, max(LEAST_OF_COLUMN, MOST_VALUES // len(candidates)))
        tables = {each.table.source.oid: each.table.source for each in candidates}
        values = statement(
            "follow/read_statistics",
            {
                "plain": _oids(each for each in tables.values() if not each.is_partitioned),
                "partitioned": _oids(each for each in tables.values() if each.is_partitioned),
                "numbers": sql.Literal(list(range(len(candidates)))),
                "tables": sql.Literal([each.table.source.oid for each in candidates]),
                "names": sql.Literal([each.column.name for each in candidates]),
                "holds": sql.Literal([each.holds for each in candidates]),
                "most": sql.Literal(of_column),
            },
        )
        try:
            with limited(self._source), sorting(self._source):
                return self._counted(values)
        except (OutOfTime, ConfigurationError):  # or our role may not read pg_stats
            return []

    def _in_rows(self, candidates: Sequence[tuple[int, Candidate]]) -> list[Count]:
        """Count in samples of rows, of a few tables at once."""
        columns = {
            name: list(of_table)
            for name, of_table in groupby(candidates, lambda each: each[1].table.name)
        }
        tables = list({each.table.name: each.table for _, each in candidates}.values())
        rows = dict(ask(self._source, tables, self.slow, self._estimated))
        counts: list[Count] = []
        for some in _batches([each for each in tables if each.name not in self.slow]):
            counts += ask(
                self._source,
                some,
                self.slow,
                lambda few: self._counted(
                    sql.SQL(" UNION ALL ").join(
                        _values(each, columns[each.name], rows.get(each.source.oid, 0))
                        for each in few
                    )
                ),
            )
        return counts

    def _estimated(self, tables: Sequence[TablePlan]) -> Iterator[tuple[int, int]]:
        yield from estimate_rows(self._source, tables).items()

    def _counted(self, values: sql.Composable) -> list[Count]:
        is_key = [
            sql.SQL("{}::text = alike.value").format(sql.Identifier("t", name))
            for name in self._key
        ]
        query = statement(
            "follow/count_subs",
            {
                "values": values,
                "form": sql.Literal(UUID_FORM),
                "users": self.users,
                "same": self.is_sub(sql.SQL("alike.value")),
                "is_key": sql.SQL(" OR ").join(is_key or [sql.SQL("false")]),
            },
        )
        return self._source.records(query, None, Count)


def _batches(tables: Sequence[TablePlan]) -> Iterator[Sequence[TablePlan]]:
    """Yield the tables of a statement: few, or one if it has partitions, which are locked too."""
    yield from batched([each for each in tables if not each.source.is_partitioned], AT_ONCE)
    yield from batched([each for each in tables if each.source.is_partitioned], 1)


def _oids(tables: Iterable[Table]) -> sql.Composable:
    return sql.Literal([table.oid for table in tables])


def _values(
    table: TablePlan, columns: Sequence[tuple[int, Candidate]], estimated: int
) -> sql.Composable:
    """Return the query for the values of some columns in a sample of a table's rows, as texts."""
    texts = [
        sql.SQL(
            "({number}, {holds}, CASE WHEN pg_catalog.pg_column_size({own}) <= {most}"
            " THEN CAST({own} AS text) {bytewise} END)"
        ).format(
            number=sql.Literal(number),
            holds=sql.Literal(each.holds),
            own=sql.Identifier("t", each.column.name),
            most=sql.Literal(MOST_BYTES[each.holds]),
            bytewise=BYTEWISE,
        )
        for number, each in columns
    ]
    return sql.SQL(
        "SELECT texts.number, texts.holds, texts.value FROM {} t"
        " CROSS JOIN LATERAL (VALUES {}) texts (number, holds, value)"
    ).format(sampled_rows(table.source, estimated, ROWS), sql.SQL(", ").join(texts))
