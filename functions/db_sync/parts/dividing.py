"""Divides a sync into parts of about as much work each."""

import hashlib
import json
import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace

from psycopg2 import sql

from common.errors import ConfigurationError
from common.postgres.names import Name
from db_sync.compare.row_counts import which_have_rows
from db_sync.parts.obstacles import Obstacles, find_obstacles
from db_sync.parts.part import Bounds, Division, Part
from db_sync.parts.sizes import measure
from db_sync.plan.catalog import whole_table
from db_sync.plan.tables import Plan, TablePlan
from db_sync.run import Run
from db_sync.statements import statement
from db_sync.tuning import Rates

# Opening connections and reading both catalogs, and what each table of a part takes at least.
SECONDS_FOR_TABLE = 0.05
MOST_TABLES = 200
NARROWER = 4  # parts, instead of one that took too long
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
        ConfigurationError: it cannot be divided, or not into parts that are short enough; says why.
    """
    # Those with policies are not divided anyway, and cannot be read before these are switched off.
    readable = [table.target for table in plan.tables if not table.target.rights.has_policies]
    filled = which_have_rows(run.target, readable)
    obstacles = find_obstacles(run, plan, filled)
    sizes = measure(run.source, run.target, plan.tables)
    seconds = {oid: size.seconds(rates) + SECONDS_FOR_TABLE for oid, size in sizes.items()}
    _require_possible(plan, obstacles, seconds, limits)
    divided = [
        table
        for table in plan.tables
        if table.target.oid in obstacles.keys and seconds[table.target.oid] > 1.5 * limits.part
    ]
    drafts = list(_of_several(plan, seconds, divided, limits))
    for table in divided:
        oid = table.target.oid
        whole = Part(0, (table.name,), seconds[oid], about_rows=sizes[oid].source.rows)
        everything = Bounds(obstacles.keys[oid], None, None)
        drafts += _narrowed(run, table, whole, everything, math.ceil(seconds[oid] / limits.part))
    drafts.sort(key=lambda part: -part.seconds)
    return Division(
        tuple(table.name for table in plan.tables),
        definition_of(plan),
        any(table.source.rights.has_policies for table in plan.tables),
        started,
        len(drafts),
        tuple(replace(part, number=number) for number, part in enumerate(drafts, start=1)),
    )


def _require_possible(
    plan: Plan, obstacles: Obstacles, seconds: Mapping[int, float], limits: Limits
) -> None:
    """Refuse parts that cannot be, or would be too long."""
    too_long = [
        f"{table.name} takes some {seconds[oid] / 60:.0f} minutes and is one part: {reason}"
        for table in plan.tables
        for oid in [table.target.oid]
        if (reason := obstacles.whole.get(oid)) and seconds[oid] > limits.longest
    ]
    if reasons := obstacles.refusals + too_long:
        raise ConfigurationError(
            "The sync cannot be done in parts, and nothing was written. docs/scaling.md says what"
            " helps.",
            reasons,
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
            [column.name for column in table.kept],
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


def divide_again(run: Run, plan: Plan, part: Part, last_number: int) -> list[Part]:
    """Divide a part that took too long into narrower ones; return it alone if it has no bounds.

    Args:
        run: the run, in a transaction of the source.
        plan: of the sync.
        part: the part.
        last_number: the new ones' numbers follow it.
    """
    if part.bounds is None:
        return [part]
    (table,) = (each for each in plan.tables if each.name == part.tables[0])
    narrower = _narrowed(run, table, part, part.bounds, NARROWER)
    return [replace(each, number=last_number + 1 + place) for place, each in enumerate(narrower)]


def _narrowed(run: Run, table: TablePlan, part: Part, within: Bounds, count: int) -> list[Part]:
    """Return about `count` parts instead of one, each with as many rows of the source."""
    run.limit(f"{table.name} was divided into parts")
    bounds = _sample(run, table, within, part.about_rows, count)
    return [
        replace(
            part,
            seconds=round(part.seconds / len(bounds), 1),
            bounds=each,
            about_rows=part.about_rows // len(bounds),
        )
        for each in bounds
    ]


def _sample(
    run: Run, table: TablePlan, within: Bounds, about_rows: int, count: int
) -> list[Bounds]:
    """Return bounds that divide the source's rows within some bounds into so many parts."""
    names = [sql.Identifier("t", column.name) for column in within.columns]
    comma = sql.SQL(", ")
    found = run.source.rows(
        statement(
            "parts/sample_keys",
            {
                "texts": comma.join(sql.SQL("{}::text").format(name) for name in names),
                "columns": comma.join(names),
                "values": comma.join(column.value for column in within.columns),
                "table": whole_table(table.source),
                "percent": sql.Literal(
                    min(100.0, 100.0 * SAMPLED_ROWS * count / max(about_rows, 1))
                ),
                "which": within.condition,
                "parts": sql.Literal(count),
            },
        )
    )
    keys = [tuple(map(str, values)) for values in found]
    return [
        Bounds(within.columns, low, high)
        for low, high in zip([within.low, *keys], [*keys, within.high], strict=True)
    ]
