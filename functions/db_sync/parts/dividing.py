"""Divides a sync into parts of about as much work each."""

import hashlib
import json
import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from psycopg2 import sql

from common.errors import OutOfTime
from common.postgres.names import Name
from db_sync.compare.row_counts import which_have_rows
from db_sync.parts.obstacles import find_obstacles
from db_sync.parts.part import Bounds, Division, KeyColumn, Part
from db_sync.parts.sizes import Sizes, measure
from db_sync.plan.catalog import whole_table
from db_sync.plan.tables import Plan, TablePlan
from db_sync.run import Run
from db_sync.statements import statement
from db_sync.tuning import Rates

# Opening connections and reading both catalogs, and what each table of a part takes at least.
SECONDS_FOR_TABLE = 0.05
MOST_TABLES = 200
SAMPLED_ROWS = 2_000  # for each part; those of a block are next to each other


@dataclass(frozen=True, slots=True)
class Limits:
    """How large parts are.

    `part`: how many seconds one should take. `longest`: how many one may take that cannot be
    divided.
    """

    part: float
    longest: float = math.inf


def divide(run: Run, plan: Plan, rates: Rates, limits: Limits, started: float) -> Division:
    """Divide a sync into parts, large ones first.

    Args:
        run: the run; both sessions are in a transaction that is rolled back afterwards.
        plan: of the sync.
        rates: how fast tables are compared and written.
        limits: how large parts are.
        started: when the sync began, in seconds of Unix time.

    Raises:
        OutOfTime: it cannot be divided, or not into parts that are short enough; says why.
    """
    filled = which_have_rows(run.target, [table.target for table in plan.tables])
    obstacles = find_obstacles(run, plan, filled)
    sizes = measure(run.source, run.target, plan.tables)
    seconds = {oid: size.seconds(rates) + SECONDS_FOR_TABLE for oid, size in sizes.items()}
    too_long = [
        f"{table.name} takes some {seconds[oid] / 60:.0f} minutes and is one part: {reason}"
        for table in plan.tables
        for oid in [table.target.oid]
        if (reason := obstacles.whole.get(oid)) and seconds[oid] > limits.longest
    ]
    if reasons := obstacles.refusals + too_long:
        raise OutOfTime(
            "The sync takes longer than one Lambda may run, and cannot be done in parts. The target"
            " is as it was. See docs/scaling.md, or run `db-sync` from a host.",
            reasons,
        )
    divided = [
        table
        for table in plan.tables
        if table.target.oid in obstacles.keys and seconds[table.target.oid] > 1.5 * limits.part
    ]
    drafts = [
        *_of_several(plan, seconds, divided, limits),
        *(
            part
            for table in divided
            for part in _of_one(
                run,
                table,
                obstacles.keys[table.target.oid],
                sizes[table.target.oid],
                seconds[table.target.oid],
                limits,
            )
        ),
    ]
    drafts.sort(key=lambda part: -part.seconds)
    return Division(
        tuple(table.name for table in plan.tables),
        definition_of(plan),
        any(table.source.rights.has_policies for table in plan.tables),
        started,
        len(drafts),
        tuple(
            Part(number, part.tables, part.seconds, part.bounds, part.about_rows)
            for number, part in enumerate(drafts, start=1)
        ),
    )


def definition_of(plan: Plan) -> str:
    """Return a digest of what a plan does, by which another one is recognized."""
    described = [
        [
            [*table.name],
            table.target.oid,
            table.target.key,
            [
                [column.name, column.type, column.conversion, str(column.mask and column.mask.rule)]
                for column in table.sent
            ],
            table.own,
        ]
        for table in plan.tables
    ]
    return hashlib.sha256(json.dumps(described).encode()).hexdigest()


def _of_several(
    plan: Plan, seconds: Mapping[int, float], divided: Collection[TablePlan], limits: Limits
) -> Iterator[Part]:
    """Yield the parts of the tables that are not divided, several small ones in each."""
    together: list[Name] = []
    total = 0.0
    left = [table for table in plan.tables if table not in divided]
    for table in sorted(left, key=lambda table: -seconds[table.target.oid]):
        wanted = seconds[table.target.oid]
        if together and (total + wanted > limits.part or len(together) == MOST_TABLES):
            yield Part(0, tuple(together), round(total, 1))
            together, total = [], 0.0
        together.append(table.name)
        total += wanted
    if together:
        yield Part(0, tuple(together), round(total, 1))


def _of_one(  # noqa: PLR0913, PLR0917 - what is known of the table
    run: Run,
    table: TablePlan,
    key: tuple[KeyColumn, ...],
    sizes: Sizes,
    seconds: float,
    limits: Limits,
) -> Iterator[Part]:
    """Yield the parts of a table that is divided by its key; the first and last are open-ended."""
    run.limit(f"{table.name} was divided into parts")
    wanted = math.ceil(seconds / limits.part)
    bounds = _sample(run, table, key, sizes.source.rows, wanted)
    about_rows = sizes.source.rows // (len(bounds) + 1)
    for low, high in zip([None, *bounds], [*bounds, None], strict=True):
        yield Part(
            0,
            (table.name,),
            round(seconds / (len(bounds) + 1), 1),
            Bounds(key, low, high),
            about_rows,
        )


def _sample(
    run: Run, table: TablePlan, key: tuple[KeyColumn, ...], rows: int, parts: int
) -> list[tuple[str, ...]]:
    """Return the keys that divide a table's rows in the source into so many parts."""
    names = [sql.Identifier("t", column.name) for column in key]
    comma = sql.SQL(", ")
    found = run.source.rows(
        statement(
            "parts/sample_keys",
            {
                "texts": comma.join(sql.SQL("{}::text").format(name) for name in names),
                "columns": comma.join(names),
                "values": comma.join(column.value for column in key),
                "table": whole_table(table.source),
                "percent": sql.Literal(min(100.0, 100.0 * SAMPLED_ROWS * parts / max(rows, 1))),
                "parts": sql.Literal(parts),
            },
        )
    )
    return [tuple(map(str, values)) for values in found]
