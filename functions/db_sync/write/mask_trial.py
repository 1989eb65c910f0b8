"""Tries the masks before anything is written.

The columns' types and lengths are checked in the plan. Constraints are tried: the source masks a
sample of each table, which a temporary table with the target's constraints must take.
"""

import textwrap
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from psycopg2 import sql

from common.errors import DatabaseUnavailable, OutOfTime, SchemaMismatch, StagingSyncError
from common.postgres.database import Session
from common.postgres.errors import MISFIT
from common.postgres.queries import load_query
from common.postgres.settings.function_names import (
    catalog_records,
    names_for_definitions,
    names_for_writing,
    only_our_names,
)
from common.postgres.settings.replication_role import define
from db_sync.compare.ranges import Ranges, estimate_rows
from db_sync.plan.fit import CORRECT_MASKS
from db_sync.plan.mask_fitting import bits_to_stay_unique, naming_column
from db_sync.plan.rows import table_rows
from db_sync.plan.tables import Mask, Plan, PlannedColumn, TablePlan
from db_sync.run import Run
from db_sync.statements import names
from db_sync.write.copy_rows import copy_rows
from db_sync.write.staging import temporary

SAMPLE = 500  # rows
DEFINITION_SHOWN = 300  # characters; the bounds of many partitions are long
CHECK, EXCLUSION, PARTITIONS, ONE_NULL = "c", "x", "p", "n"


@dataclass(frozen=True, slots=True)
class Constraint:
    """What the target requires of some columns, as list_mask_constraints.sql returns it."""

    root: int
    kind: str
    name: str
    definition: str
    columns: list[str]

    def __str__(self) -> str:
        return textwrap.shorten(
            f"{self.name}: {self.definition}", DEFINITION_SHOWN, placeholder=" …"
        )


def require_sound_masks(run: Run, plan: Plan) -> None:
    """Check that masks keep unique values unique, and that the team's expressions are immutable.

    Args:
        run: both of its sessions are in their transactions.
        plan: of the sync.

    Raises:
        SchemaMismatch: names every column with its rule and why it cannot hold.
    """
    tables = plan.masked_tables
    if not tables:
        return
    run.limit("the masks were checked")
    rows = estimate_rows(run.source, tables)
    reasons: list[str] = []
    for table in tables:
        reasons += _of_uniqueness(table, rows[table.source.oid])
        if expressions := [each for each in _masks(table) if each[1].rule.kind == "sql"]:
            with run.target.savepoint(force_rollback=True):
                reasons += _of_expressions(run, table, expressions)
    _refuse(reasons)


def require_samples_fit(run: Run, plans: Sequence[TablePlan]) -> None:
    """Check that the target's constraints take a sample of the masked rows of each table.

    Args:
        run: both of its sessions are in their transactions.
        plans: the tables that differ; the others have what the masks make.

    Raises:
        SchemaMismatch: names every table with its masks and constraints.
    """
    tables = [plan for plan in plans if plan.masked]
    if not tables:
        return
    run.limit("masks were tried")
    query = load_query("db_sync/write", "list_mask_constraints")
    oids = {"tables": [table.target.oid for table in tables]}
    constraints = catalog_records(run.target, query, oids, Constraint)
    _refuse(
        [
            reason
            for table in tables
            for reason in _of_sample(
                run, table, [each for each in constraints if each.root == table.target.oid]
            )
        ]
    )


def _refuse(reasons: list[str]) -> None:
    if reasons:
        raise SchemaMismatch(f"Nothing was written. {CORRECT_MASKS}", reasons)


def _of_uniqueness(table: TablePlan, rows: int) -> Iterator[str]:
    """Yield the columns in which masked values might not stay unique."""
    needed = bits_to_stay_unique(rows)
    for column, mask in _masks(table):
        if mask.needed_bits is not None and mask.needed_bits < needed:
            yield (
                f"{table.name}.{column.name} is unique, and a mask of the kind {mask.rule} has"
                f" {mask.needed_bits} bits there; {needed} are needed for some {rows} rows. Widen"
                " the column"
            )


def _of_expressions(
    run: Run, table: TablePlan, expressions: list[tuple[PlannedColumn, Mask]]
) -> Iterator[str]:
    """Yield the expressions that are none, or not certain to return the same every night.

    PostgreSQL accepts only an immutable expression for a generated column. It is tried with our own
    search path, so that both sides find the same functions.
    """
    trial = temporary("mask", table)
    every = names(table.target.columns)
    _create(run, trial, sql.SQL("SELECT {} FROM {}").format(every, table.name.identifier))
    for number, (column, mask) in enumerate(expressions):
        try:
            with run.target.savepoint(), only_our_names(run.target):
                _add_generated(run.target, trial, f"staging_sync_{number}", column, mask)
            with run.source.savepoint(force_rollback=True):
                rows = table_rows(table.source)
                run.source.rows(
                    sql.SQL("EXPLAIN SELECT {} FROM {} t").format(mask.expression, rows)
                )
        except (DatabaseUnavailable, OutOfTime):
            raise
        except StagingSyncError as error:
            yield (
                f"the expression for {table.name}.{column.name} must be one over the columns of"
                f" its row that returns {column.type}, and the same every time (immutable: without"
                " now(), random() or a subquery); functions that are not PostgreSQL's own need"
                " their schema, and must exist in both databases:"
                f" {error.message.removeprefix(f'{MISFIT}: ')}"
            )


def _add_generated(
    target: Session, trial: sql.Composable, name: str, column: PlannedColumn, mask: Mask
) -> None:
    """Add a generated column with the expression of a rule to a table."""
    text = sql.SQL(naming_column(mask.rule.options["expression"], column.name))
    target.rows(sql.SQL("EXPLAIN SELECT {}\n FROM {}").format(text, trial))
    generated = sql.SQL("ALTER TABLE {} ADD COLUMN {} {} GENERATED ALWAYS AS ({}\n) STORED")
    define(target, generated.format(trial, sql.Identifier(name), sql.SQL(column.type), text))


def _of_sample(run: Run, table: TablePlan, constraints: list[Constraint]) -> Iterator[str]:
    """Yield why a sample of a table's masked rows does not fit."""
    for column, mask in _masks(table):
        if mask.rule.kind == "null" and any(
            each.kind == ONE_NULL and column.name in each.columns for each in constraints
        ):
            yield f"{table.name}.{column.name} is unique with NULLS NOT DISTINCT: one may be NULL"
    sent = {column.name: column for column in table.sent}
    masked = {column.name for column in table.masked}
    required = [
        each
        for each in constraints
        if each.kind != ONE_NULL and masked & set(each.columns) and sent.keys() >= set(each.columns)
    ]
    needed = masked.union(*(each.columns for each in required))
    columns = [column for name, column in sent.items() if name in needed]
    try:
        with (
            run.target.savepoint(force_rollback=True),
            run.source.savepoint(force_rollback=True),
        ):
            trial = _create_trial(run, table, columns, required)
            with names_for_writing(run.target, table.target.function_path):
                copy_rows(run, Ranges(table), None, trial, columns=columns, most=SAMPLE)
    except (DatabaseUnavailable, OutOfTime):
        raise
    except StagingSyncError as error:
        kinds = ", ".join(f"{column.name} ({mask.rule})" for column, mask in _masks(table))
        told = "".join(f"; {each}" for each in required)
        yield f"masked rows of {table.name} do not fit: {kinds}{told}: {error.message}"


def _create_trial(
    run: Run, table: TablePlan, columns: list[PlannedColumn], required: list[Constraint]
) -> sql.Composable:
    """Create an empty temporary table with some of a table's columns, and with constraints.

    A constraint that cannot be on another table, as one that names the table, is left out.
    """
    trial = temporary("mask", table)
    selected = names(column.name for column in columns)
    query = sql.SQL("SELECT {} FROM {}").format(selected, table.name.identifier)
    with names_for_definitions(run.target, table.target.function_path):
        _create(run, trial, query)
        for each in required:
            add = sql.SQL("ALTER TABLE {} ADD {}").format(trial, sql.SQL(each.definition))
            with suppress(SchemaMismatch), run.target.savepoint():
                define(run.target, add)
    return trial


def _create(run: Run, table: sql.Composable, query: sql.Composable) -> None:
    create = sql.SQL("CREATE TEMPORARY TABLE {} ON COMMIT DROP AS {} WITH NO DATA")
    define(run.target, create.format(table, query))


def _masks(table: TablePlan) -> Iterator[tuple[PlannedColumn, Mask]]:
    for column in table.masked:
        if column.mask:
            yield column, column.mask
