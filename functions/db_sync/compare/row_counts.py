"""How many rows tables have, and whether any."""

from collections.abc import Sequence

from psycopg2 import sql

from common.postgres.database import Session
from db_sync.plan.catalog import Table
from db_sync.plan.rows import table_rows
from db_sync.run import ask_at_once


def which_have_rows(session: Session, tables: Sequence[Table]) -> set[int]:
    """Return the oids of the tables that have rows, in few round trips."""

    def ask(some: Sequence[Table]) -> list[bool]:
        exist = [sql.SQL("EXISTS (SELECT FROM {} t)").format(table_rows(table)) for table in some]
        query = sql.SQL("SELECT ARRAY[{}]::boolean[]").format(sql.SQL(", ").join(exist))
        (found,) = session.row(query)
        return list(found)

    found = ask_at_once(session, "table", tables, ask)
    return {table.oid for table, has_rows in zip(tables, found, strict=True) if has_rows}


def count_rows(session: Session, table: Table) -> int:
    """Return how many rows a table has."""
    (rows,) = session.row(sql.SQL("SELECT count(*) FROM {} t").format(table_rows(table)))
    return int(rows)
