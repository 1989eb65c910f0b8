"""Reading a few rows of many tables on the source, for little time and without keeping a lock."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

from psycopg2 import sql

from common.errors import OutOfTime
from common.postgres.database import Session
from common.postgres.names import Name
from common.postgres.settings.function_names import names_of
from db_sync.plan.catalog import Table
from db_sync.plan.rows import table_rows
from db_sync.plan.tables import TablePlan

FIRST_ROWS = 50
FEW_ROWS = 20_000  # in a larger table the rows are taken from pages all over it
ROWS_OF_PAGES = 5_000  # rows that these pages have: a few of each page, and so of many pages
SECONDS = 10.0  # for one statement: it may have to wait for a migration, or read many dead rows

type Question[A] = Callable[[Sequence[TablePlan]], Iterable[A]]


def sampled_rows(table: Table, estimated: int, most: int) -> sql.Composable:
    """Return a sample of a table's rows as a FROM item without an alias.

    Args:
        table: of the source.
        estimated: how many rows it has, about.
        most: how many the sample has, about; three times as many at the most.
    """
    all_rows = table_rows(table)
    if estimated <= FEW_ROWS:
        return sql.SQL("(SELECT * FROM {} LIMIT {})").format(all_rows, sql.Literal(most))
    # The first ones too: the estimate may be wrong, and the pages empty.
    return sql.SQL(
        "((SELECT * FROM {0} LIMIT {1}) UNION ALL"
        " (SELECT * FROM {0} TABLESAMPLE SYSTEM ({2}) WHERE pg_catalog.random() < {3}"
        " LIMIT {4}))"
    ).format(
        all_rows,
        sql.Literal(min(FIRST_ROWS, most)),
        sql.Literal(100 * ROWS_OF_PAGES / estimated),
        sql.Literal(most / ROWS_OF_PAGES),
        sql.Literal(2 * most),
    )


@contextmanager
def limited(source: Session, path: str = "") -> Iterator[None]:
    """Limit the statements of a with statement, and release the locks that they took.

    Args:
        source: in a transaction.
        path: a table's search path for functions, if its own definitions are run.
    """
    with source.savepoint(force_rollback=True):
        seconds = max(0.001, min(SECONDS, source.seconds_left))
        # Starting a worker takes longer than reading a sample.
        source.set_local(statement_timeout=int(seconds * 1000), max_parallel_workers_per_gather=0)
        with names_of(source, path):
            yield


def ask[A](
    source: Session, tables: Sequence[TablePlan], slow: set[Name], question: Question[A]
) -> list[A]:
    """Ask about tables at once, or each alone if one of them is locked by a migration.

    Args:
        source: in a transaction.
        tables: what is asked about.
        slow: takes the names of those that do not answer in time.
        question: asks about some of them.
    """
    try:
        with limited(source):
            return list(question(tables))
    except OutOfTime:
        if len(tables) == 1:
            slow.add(tables[0].name)
            return []
    return [answer for table in tables for answer in ask(source, [table], slow, question)]
