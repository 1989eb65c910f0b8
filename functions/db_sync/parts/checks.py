"""What parts cannot see: whether a table has rows that no part covers, and what its keys refer to.

A part finds its rows through the index of their key. So the rows of a divided table are counted
without it on both sides: an index that lacks rows is noticed here, and so are rows that the
application has inserted or deleted. Foreign keys did not act while parts were written.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from psycopg2 import sql

from common.errors import SchemaMismatch
from common.postgres.database import Session
from common.postgres.foreign_keys import ForeignKey, read_foreign_keys
from common.postgres.orphans import count_orphans
from common.postgres.settings.function_names import only_our_names
from common.postgres.target import share_target
from db_sync.parts.board import Snapshots
from db_sync.parts.part import Division, KeyCheck, RowCount
from db_sync.parts.result import PieceResult
from db_sync.parts.shared_snapshot import begin_kept
from db_sync.parts.sizes import Sizes
from db_sync.plan.catalog import Table
from db_sync.plan.tables import Plan, TablePlan
from db_sync.planner import prepare, sorting, tables_themselves
from db_sync.run import Run
from db_sync.tuning import Rates
from db_sync.write.row_security import not_forced

type Check = RowCount | KeyCheck


@dataclass(frozen=True, slots=True)
class Blocks:
    """A table's blocks are divided so that reading some takes `seconds` at the most."""

    sizes: Mapping[int, Sizes]  # by the target's oids
    rates: Rates
    seconds: float

    def ranges(self, oid: int, side: str) -> Iterator[tuple[int, int | None, float]]:
        """Yield ranges of one side's blocks: the first, the one after the last, and the seconds.

        The last range is open-ended, since a table may grow. One whose size is unknown, as it is
        not synced, is one range.
        """
        sizes = self.sizes.get(oid)
        if sizes is None:
            yield 0, None, 0.0
            return
        size = sizes.source if side == "source" else sizes.target
        seconds = size.bytes / self.rates.compare
        width = max(1, math.ceil(size.blocks / max(1, math.ceil(seconds / self.seconds))))
        starts = list(range(0, max(size.blocks, 1), width))
        for first, end in zip(starts, [*starts[1:], None], strict=True):
            yield first, end, round(seconds / len(starts), 3)


def list_checks(plan: Plan, division: Division, blocks: Blocks) -> list[Check]:
    """Return what is to be checked when all parts are written; the numbers follow the parts'.

    Args:
        plan: of the sync.
        division: its parts.
        blocks: how tables are divided.
    """
    divided = {part.tables[0] for part in division.parts if part.bounds}
    checks: list[Check] = [
        RowCount(0, side, table.name, on_side.is_partitioned, first, end, seconds)
        for table in plan.tables
        if table.name in divided
        for side, on_side in _sides(table)
        for first, end, seconds in blocks.ranges(table.target.oid, side)
    ]
    checks += [
        KeyCheck(0, key.child, key.name, first, end, seconds)
        for key in keys_to_check(plan)
        for first, end, seconds in blocks.ranges(key.child_root, "target")
    ]
    return checks


def _sides(table: TablePlan) -> Iterator[tuple[Literal["source", "target"], Table]]:
    """Yield both sides' tables; only one of them may be partitioned."""
    yield "source", table.source
    yield "target", table.target


def keys_to_check(plan: Plan) -> list[ForeignKey]:
    """Return the foreign keys from and to the tables of a plan.

    Those too that production's rows satisfy: the application may have deleted a parent meanwhile.
    And those of tables that no part has changed: an execution before this one, which failed, may
    have.
    """
    return [
        key
        for key in plan.catalogs.target.foreign_keys
        if key.is_valid and not key.is_period and {key.child_root, key.parent_root} & plan.synced
    ]


def is_of_source(check: Check) -> bool:
    """Return whether a check reads the source."""
    return isinstance(check, RowCount) and check.side == "source"


def do_check(run: Run, check: Check, board: Snapshots) -> PieceResult:
    """Carry out a check in transactions of its own.

    Raises:
        StagingSyncError: one of `common.errors`.
    """
    run.limit(f"rows of {check.table} were counted")
    run.target.begin()
    share_target(run.target, run.options.execution)
    prepare(run.target)
    tables = [check.table] if is_of_source(check) else []
    kept = begin_kept(run.source, board, tables, has_policies=False)
    session = run.source if is_of_source(check) else run.target
    keys = _read_keys(session) if isinstance(check, KeyCheck) else ()
    rows = count(session, check, keys)
    run.source.rollback()
    run.target.rollback()
    return PieceResult(check.number, check.attempt, kept.epoch, kept.taken_at, rows=rows)


def count(session: Session, check: Check, keys: Iterable[ForeignKey]) -> int:
    """Return how many rows there are, or how many of them break the foreign key.

    Args:
        session: in a transaction of the check's side.
        check: the check.
        keys: the target's foreign keys.

    Raises:
        SchemaMismatch: the foreign key is none of them.
    """
    if isinstance(check, KeyCheck):
        key = _find_key(keys, check)
        with not_forced(session, [key.child, key.parent]):
            return count_orphans(session, key, _in_blocks("c", check))
    only = sql.SQL("" if check.is_partitioned else "ONLY ")
    with tables_themselves(session):
        (rows,) = session.row(
            sql.SQL("SELECT count(*) FROM {} t WHERE {}").format(
                only + check.table.identifier, _in_blocks("t", check)
            )
        )
    return int(rows)


def _read_keys(session: Session) -> list[ForeignKey]:
    with sorting(session), only_our_names(session):
        return list(read_foreign_keys(session))


def _find_key(keys: Iterable[ForeignKey], check: KeyCheck) -> ForeignKey:
    for key in keys:
        if (key.child, key.name) == (check.table, check.key):
            return key
    raise SchemaMismatch(
        f"The foreign key {check.key} of {check.table} was dropped meanwhile. Start again."
    )


def _in_blocks(alias: str, check: Check) -> sql.Composable:
    """Return the condition that a row is in a check's blocks."""
    conditions = [(">=", check.first)]
    if check.end is not None:
        conditions.append(("<", check.end))
    return sql.SQL(" AND ").join(
        sql.SQL(f"{alias}.ctid {operator} '({block},0)'::tid") for operator, block in conditions
    )
