"""Tries masks on a sample of a table: whether its constraints take them, and how they look."""

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import batched
from typing import Self

from psycopg2 import sql

from common.errors import DatabaseUnavailable, OutOfTime, StagingSyncError
from common.json_paths import Path
from common.postgres.database import Session
from common.postgres.queries import load_query
from common.postgres.settings.function_names import catalog_records
from db_sync.mask.kinds import MaskRule
from db_sync.mask_plan.sample import Sampler
from db_sync.plan.defined_types import ARRAY
from db_sync.plan.mask_fitting import OF_ELEMENTS
from db_sync.plan.tables import PlannedColumn, TablePlan
from db_sync.sampling import ask, limited
from db_sync.statements import source_value, statement
from db_sync.write.mask_trial import CHECK, ONE_NULL, PARTITIONS, Constraint

MOST_SHOWN, SHOWN_CHARACTERS = 2, 48  # values of a column
AT_ONCE = 400  # columns: a query returns 1664 at the most


@dataclass(slots=True)
class Tried:
    """What became of a table's masks: columns that do not hold, with why; a few masked values."""

    broken: dict[str, str] = field(default_factory=dict)
    shown: dict[str, list[str]] = field(default_factory=dict)

    def add(self, other: Self) -> None:
        """Add what became of other columns."""
        self.broken |= other.broken
        self.shown |= other.shown


class Trial:
    """Tries the masks of tables on samples of the source."""

    def __init__(self, source: Session, sampler: Sampler, tables: Sequence[TablePlan]) -> None:
        """Read the constraints of the tables."""
        self._source = source
        self._sampler = sampler
        query = load_query("db_sync/write", "list_mask_constraints")

        def constraints(some: Sequence[TablePlan]) -> list[Constraint]:
            oids = {"tables": [table.source.oid for table in some]}
            return catalog_records(source, query, oids, Constraint)

        self._constraints = ask(source, tables, sampler.samples.too_slow, constraints)

    def of(self, table: TablePlan) -> Tried:
        """Return what becomes of a table's masks.

        Raises:
            OutOfTime: the table takes too long.
        """
        tried = Tried()
        for masked in batched(table.masked, AT_ONCE):
            try:
                tried.add(self._of(table, masked))
            except (DatabaseUnavailable, OutOfTime):
                raise
            except StagingSyncError:
                tried.add(self._one_by_one(table, masked))
        return tried

    def _one_by_one(self, table: TablePlan, masked: Sequence[PlannedColumn]) -> Tried:
        """Try each column alone, after an error that does not say which one it was."""
        tried = Tried()
        for column in masked:
            try:
                alone = self._of(table, [column])
            except (DatabaseUnavailable, OutOfTime):
                raise
            except StagingSyncError:
                tried.broken[column.name] = "a sample of its values cannot be masked"
            else:
                tried.add(alone)
        return tried

    def _of(self, table: TablePlan, masked: Sequence[PlannedColumn]) -> Tried:
        names = {column.name for column in masked}
        checks = self._checks_of(table, names)
        query = statement(
            "mask_plan/try_masks",
            {
                "broken": _comma(_count_broken(check) for check in checks),
                "shown": sql.SQL("").join(_few(number) for number in range(len(masked))),
                "columns": _comma(_columns(table, masked, checks)),
                "rows": self._sampler.rows(table),
            },
        )
        with limited(self._source, table.source.function_path):
            broken, *shown = self._source.row(query)
        tried = Tried()
        for check, count in zip(checks, broken, strict=True):
            if count:
                for name in names.intersection(check.columns):
                    tried.broken[name] = f"its masked values break {check.name}"
        tried.broken |= self._of_null(table, masked)
        for column, values in zip(masked, shown, strict=True):
            tried.shown[column.name] = list(dict.fromkeys(values or []))[:MOST_SHOWN]
        return tried

    def _of_null(self, table: TablePlan, masked: Sequence[PlannedColumn]) -> dict[str, str]:
        """Return the columns that would be NULL in every row, and may be NULL in one only."""
        nulls = {each.name for each in masked if each.mask and each.mask.rule.kind == "null"}
        return {
            name: f"{each.name} lets one row be NULL"
            for each in self._constraints
            if each.root == table.source.oid and each.kind == ONE_NULL
            for name in nulls.intersection(each.columns)
        }

    def _checks_of(self, table: TablePlan, masked: Collection[str]) -> list[Constraint]:
        """Return the checks of masked columns, as far as they are of columns that are sent."""
        sent = {column.name for column in table.sent}
        return [
            each
            for each in self._constraints
            if each.root == table.source.oid and each.kind in {CHECK, PARTITIONS}
            if set(each.columns).intersection(masked) and sent.issuperset(each.columns)
        ]


def _comma(parts: Iterator[sql.Composable]) -> sql.Composable:
    return sql.SQL(", ").join(parts)


def _count_broken(check: Constraint) -> sql.Composable:
    condition = check.definition.removeprefix("CHECK ").removesuffix(" NO INHERIT")
    return sql.SQL("pg_catalog.count(*) FILTER (WHERE NOT {})").format(sql.SQL(condition))


def _few(number: int) -> sql.Composable:
    name = sql.Identifier(_shown(number))
    return sql.SQL(", (pg_catalog.array_agg({0}) FILTER (WHERE {0} <> ''))[1:20]").format(name)


def _shown(number: int) -> str:
    return f"staging_sync_shown_{number}"


def _columns(
    table: TablePlan, masked: Sequence[PlannedColumn], checks: Sequence[Constraint]
) -> Iterator[sql.Composable]:
    """Yield the columns of the sample: those that the checks are of, and the texts to show."""
    tried = {column.name: column for column in masked}
    for name in sorted({name for check in checks for name in check.columns}):
        value: sql.Composable = sql.Identifier("t", name)
        if name in tried:
            type_ = sql.SQL(table.source.columns[name].type)
            value = sql.SQL("CAST({} AS {})").format(source_value(tried[name]), type_)
        yield sql.SQL("{} AS {}").format(value, sql.Identifier(name))
    for number, column in enumerate(masked):
        if column.mask:
            # A domain's checks are tried by the cast to it.
            type_ = sql.SQL(table.source.columns[column.name].type)
            arriving = sql.SQL("CAST({} AS {})").format(column.mask.expression, type_)
            yield sql.SQL("{} AS {}").format(
                _text(column, column.mask.rule, arriving), sql.Identifier(_shown(number))
            )


def _text(column: PlannedColumn, rule: MaskRule, masked: sql.Composable) -> sql.Composable:
    """Return the SQL for the masked text to show; NULL where the value is the original's."""
    if rule.kind == "sql":  # nobody knows what it leaves
        return sql.SQL("NULL::text")
    original: sql.Composable = sql.Identifier("t", column.name)
    if rule.kind == "json":
        return _within_json(original, masked, rule)
    if column.base_type.endswith(ARRAY) and rule.kind in OF_ELEMENTS:
        masked, original = (sql.SQL("({})[1]").format(each) for each in (masked, original))
    return _if_changed(original, masked)


def _if_changed(original: sql.Composable, masked: sql.Composable) -> sql.Composable:
    return sql.SQL(
        'CASE WHEN ({masked})::text COLLATE pg_catalog."C" IS DISTINCT FROM ({original})::text'
        " THEN pg_catalog.translate(pg_catalog.left(({masked})::text, {most}), {breaks}, '   ') END"
    ).format(
        masked=masked,
        original=original,
        most=sql.Literal(SHOWN_CHARACTERS),
        breaks=sql.Literal("\t\r\n"),
    )


def _within_json(
    original: sql.Composable, masked: sql.Composable, rule: MaskRule
) -> sql.Composable:
    """Return what the masked paths of a document lead to, a line for each: the rest is original."""

    def first(document: sql.Composable, path: Path) -> sql.Composable:
        return sql.SQL(
            "(pg_catalog.jsonb_path_query_first(({})::jsonb, {}::jsonpath, '{{}}', true)"
            " #>> '{{}}')"
        ).format(document, sql.Literal(_sql_path(path)))

    texts = (_if_changed(first(original, path), first(masked, path)) for path, _ in rule.paths)
    lines = sql.SQL(", ").join(sql.SQL("coalesce({}, '')").format(text) for text in texts)
    return sql.SQL("nullif(pg_catalog.array_to_string(ARRAY[{}], {}), {})").format(
        lines, sql.Literal("\n"), sql.Literal("\n" * (len(rule.options["paths"]) - 1))
    )


def _sql_path(path: Path) -> str:
    """Return a path as PostgreSQL writes it; strict, so that it unwraps no array by itself."""
    steps = (step if isinstance(step, str) else f".{json.dumps(step[0])}" for step in path)
    return "strict $" + "".join(steps)
