"""Copies rows of one table: all of them, those of some ranges, or a sample."""

from collections.abc import Sequence

from psycopg2 import sql

from common.postgres.copying import Transferred, transfer
from db_sync.compare.ranges import Ranges
from db_sync.plan.tables import PlannedColumn
from db_sync.run import Run
from db_sync.statements import names, source_value, source_values


def copy_rows(  # noqa: PLR0913 - what and how, by keyword
    run: Run,
    ranges: Ranges,
    numbers: Sequence[int] | None,
    into: sql.Composable,
    *,
    columns: Sequence[PlannedColumn] | None = None,
    most: int | None = None,
    is_frozen: bool = False,
) -> Transferred:
    """Copy rows of the source into a table of the target's session.

    Args:
        run: from its source, to its target.
        ranges: the table.
        numbers: of the ranges whose rows are copied; None: all.
        into: the table that takes them, with the target's columns.
        columns: which of the columns are copied; None: all that the source sends.
        most: how many rows are copied at the most; None: all.
        is_frozen: whether the rows are frozen at once; only for a table that this transaction
            emptied by TRUNCATE.
    """
    plan = ranges.plan
    if columns is None:
        columns = plan.compared + plan.kept
    options = _format(run, columns)
    values = sql.SQL("COPY (SELECT {} FROM {}{}) TO STDOUT{}").format(
        source_values(columns),
        ranges.rows(plan.source, source_value, numbers),
        sql.SQL("" if most is None else f" LIMIT {most}"),
        _with(options),
    )
    if is_frozen:
        options.append(sql.SQL("FREEZE"))
    # A table may have no columns; COPY does not accept an empty list.
    rows = sql.SQL("COPY {0} ({1}) FROM STDIN{2}" if columns else "COPY {0} FROM STDIN{2}").format(
        into, names(column.name for column in columns), _with(options)
    )
    return transfer(run.source, values, run.target, rows)


def _format(run: Run, columns: Sequence[PlannedColumn]) -> list[sql.Composable]:
    """Return COPY's options for the format that rows are sent in.

    Where the servers' encoding is not UTF-8, it is text in that encoding, since its bytes may have
    no counterpart in UTF-8. In binary format texts are in the client's encoding, whatever the
    options say.
    """
    encoding = run.target.server_encoding
    if encoding != "UTF8":
        return [sql.SQL("ENCODING {}").format(sql.Literal(encoding))]
    is_binary = all(column.is_binary for column in columns)
    return [sql.SQL("FORMAT binary")] if is_binary else []


def _with(options: Sequence[sql.Composable]) -> sql.Composable:
    return sql.SQL(" ({})").format(sql.SQL(", ").join(options)) if options else sql.SQL("")
