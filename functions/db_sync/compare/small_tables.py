"""Small tables are compared many at a time: asking about one takes longer than reading it."""

import time
from collections.abc import Sequence
from itertools import batched

from psycopg2 import sql

from common.errors import DatabaseUnavailable, OutOfTime, StagingSyncError
from common.postgres.copying import lines
from db_sync.brief_locks import AT_ONCE, letting_go
from db_sync.compare.fingerprint import Comparison, Dirty, Totals
from db_sync.compare.generated import NOTHING_STALE, counted_stale
from db_sync.compare.ranges import Ranges
from db_sync.compare.row_hash import ValueOf, row_hash
from db_sync.plan.catalog import Table
from db_sync.run import PARTICIPLES, Run
from db_sync.statements import Parts, source_value, statement, target_value

MOST_RANGES = 32  # of a small table: some 2,000 rows


def is_small(ranges: Ranges) -> bool:
    """Return whether a table can be compared together with others: it has few rows.

    Not one whose expressions call functions of the application's, which need a search path each.
    """
    is_in_few = ranges.shift is None and ranges.count <= MOST_RANGES
    return is_in_few and not ranges.plan.target.function_path


def compare_small(
    run: Run, tables: Sequence[Ranges], phase: str = "compare"
) -> list[Comparison | None]:
    """Compare small tables, each as if it were one range.

    Args:
        run: the run.
        tables: the tables.
        phase: what the run notes the seconds for.

    Returns:
        A comparison for each; None for those that must be compared alone: they differ and have
        more ranges, or there was an error in the statement for several, which does not say in
        which of them it was.
    """
    found: list[Comparison | None] = []
    for some in letting_go(batched(tables, AT_ONCE), run.source, run.target, at_once=1):
        run.limit(f"small tables were {PARTICIPLES[phase]}")
        started = time.monotonic()
        try:
            with run.source.savepoint(), run.target.savepoint():
                found += _compare(run, some)
        except (DatabaseUnavailable, OutOfTime):
            raise
        except StagingSyncError:
            found += [None] * len(some)
            continue
        for ranges in some:
            seconds = (time.monotonic() - started) / len(some)
            run.seconds[ranges.plan.name][phase] += round(seconds, 3)
    return found


def _compare(run: Run, tables: Sequence[Ranges]) -> list[Comparison | None]:
    """Read both sides' fingerprints of several tables at the same time."""
    ours = _query(
        [
            _fingerprint(each, each.plan.source, source_value, NOTHING_STALE, number)
            for number, each in enumerate(tables)
        ]
    )
    theirs = _query(
        [
            _fingerprint(each, each.plan.target, target_value, counted_stale(each.plan), number)
            for number, each in enumerate(tables)
        ]
    )
    with lines(run.source, ours) as source, lines(run.target, theirs) as target:
        return [_compared(*each) for each in zip(tables, source, target, strict=True)]


def _query(fingerprints: Sequence[sql.Composable]) -> sql.Composed:
    union = sql.SQL(" UNION ALL ").join(fingerprints)
    return sql.SQL("COPY ({} ORDER BY number) TO STDOUT").format(union)


def _fingerprint(
    ranges: Ranges, table: Table, value_of: ValueOf, stale: Parts, number: int
) -> sql.Composed:
    return statement(
        "compare/fingerprint_table",
        {
            "number": sql.Literal(number),
            "hash": row_hash(ranges.plan.compared, value_of),
            "rows": ranges.rows(table, value_of, None),
            **stale,
        },
    )


def _compared(ranges: Ranges, ours: bytes, theirs: bytes) -> Comparison | None:
    """Compare one table's lines."""
    _, rows, total, _ = map(int, ours.split())
    _, target_rows, target_total, stale_rows = map(int, theirs.split())
    source = Totals(int(rows > 0), rows, total)
    target = Totals(int(target_rows > 0), target_rows, target_total)
    if source == target and not stale_rows:
        return Comparison(source, target.extent)
    if ranges.count > 1:
        return None
    dirty = [Dirty(0, rows, total, target_rows)]
    return Comparison(source, target.extent, dirty, 1, stale_rows)
