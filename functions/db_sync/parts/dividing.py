"""Divides a sync into parts of about as much work each."""

import hashlib
import json
import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import batched

from psycopg2 import sql

from common.errors import ConfigurationError
from db_sync.compare.row_counts import which_have_rows
from db_sync.parts.obstacles import Obstacles, find_obstacles
from db_sync.parts.part import Bounds, Division, Part
from db_sync.parts.sizes import Sizes, measure
from db_sync.plan.rows import whole_table
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

    Attributes:
        part: how many seconds one should take.
        whole: up to how many seconds a table is not divided: while the whole of an empty table is
            loaded, its indexes are built at the end, which takes half the time.
        longest: how many a part may take that cannot be divided.
    """

    part: float
    whole: float
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
    drafts: list[Part] = []
    small: list[Part] = []
    for table in plan.tables:
        oid = table.target.oid
        part = _single(table, obstacles, sizes[oid], seconds[oid])
        if part.divisible and part.seconds > limits.whole:
            drafts += _narrowed(run, table, part, math.ceil(part.seconds / limits.part))
        else:
            small.append(part)
    drafts += _put_together(small, limits)
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
    following = [[str(each.column), str(each.followed), each.paths] for each in plan.followers]
    return hashlib.sha256(json.dumps([described, following]).encode()).hexdigest()


def _single(table: TablePlan, obstacles: Obstacles, sizes: Sizes, seconds: float) -> Part:
    """Return a table as one part."""
    key = obstacles.keys.get(table.target.oid)
    return Part(
        0,
        (table.name,),
        seconds,
        divisible=Bounds(key, None, None) if key else None,
        about_rows=sizes.source.rows,
    )


def _put_together(parts: Collection[Part], limits: Limits) -> Iterator[Part]:
    """Yield parts of several small tables each; larger ones remain alone."""
    together: list[Part] = []
    for part in sorted(parts, key=lambda part: -part.seconds):
        total = sum(each.seconds for each in together)
        if together and (total + part.seconds > limits.part or len(together) == MOST_TABLES):
            yield _joined(together)
            together = []
        together.append(part)
    if together:
        yield _joined(together)


def _joined(parts: Sequence[Part]) -> Part:
    if len(parts) == 1:
        return replace(parts[0], seconds=round(parts[0].seconds, 1))
    tables = tuple(table for part in parts for table in part.tables)
    return Part(0, tables, round(sum(part.seconds for part in parts), 1))


def divide_again(run: Run, plan: Plan, part: Part, last_number: int) -> list[Part]:
    """Divide a part that took too long into narrower ones; return it alone if that is impossible.

    Args:
        run: the run, in a transaction of the source.
        plan: of the sync.
        part: the part.
        last_number: the new ones' numbers follow it.
    """
    if part.divisible:
        (table,) = (each for each in plan.tables if each.name == part.tables[0])
        narrower = _narrowed(run, table, part, NARROWER)
    elif len(part.tables) > 1:
        count = math.ceil(len(part.tables) / NARROWER)
        narrower = [replace(part, tables=tables) for tables in batched(part.tables, count)]
    else:
        return [part]
    return [replace(each, number=last_number + 1 + place) for place, each in enumerate(narrower)]


def _narrowed(run: Run, table: TablePlan, part: Part, count: int) -> list[Part]:
    """Return about `count` parts instead of one, each with as many rows of the source."""
    run.limit(f"{table.name} was divided into parts")
    bounds = _sample(run, table, part, count)
    return [
        replace(
            part,
            seconds=round(part.seconds / len(bounds), 1),
            bounds=each,
            divisible=each,
            about_rows=part.about_rows // len(bounds),
        )
        for each in bounds
    ]


def _sample(run: Run, table: TablePlan, part: Part, count: int) -> list[Bounds]:
    """Return bounds that divide a part's rows into so many."""
    within = part.divisible or Bounds((), None, None)
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
                    min(100.0, 100.0 * SAMPLED_ROWS * count / max(part.about_rows, 1))
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
