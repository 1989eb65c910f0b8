"""`make bench-masks`: the processor's time that each kind of mask takes for a value."""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import psutil
from psycopg2 import sql
from rich import box
from rich.console import Console, RenderableType
from rich.table import Table

from common.masking.keys import MaskKey, hand_over
from common.postgres.database import Session, connect
from db_sync.mask.kinds import KEYED
from db_sync.plan.catalog import Catalogs
from db_sync.plan.catalog_reading import read_catalog
from db_sync.plan.planning import make_plan
from db_sync.plan.tables import PlannedColumn
from db_sync.rules import SyncRules
from sandbox.database import Database
from tests.bench.report import machine, postgresql
from tests.bench.run import run
from tests.bench.servers import running

WIDTH = 118  # characters of the table
KEY = "0123456789abcdef" * 4
NANOSECONDS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Sample:
    """A column to mask: its type, the SQL for the value of row `i`, and the rule."""

    what: str
    type: str
    value: str
    rule: object


PHONE = "'+1 555 ' || lpad((i * 7919 % 10000000)::text, 7, '0')"
PROFILE = "jsonb_build_object('plan', i % 4, 'news', i % 2 = 0, 'city', md5('c' || i))"
SAMPLES = (
    Sample("null", "text", "md5(i::text)", "null"),
    Sample("fixed", "text", "md5(i::text)", {"with": "fixed", "value": "masked"}),
    Sample("hash of a text", "text", "md5(i::text)", "hash"),
    Sample("hash of a bigint", "bigint", "i", "hash"),
    Sample("uuid", "uuid", "gen_random_uuid()", "uuid"),
    Sample("email", "text", "'user' || i || '@example.com'", "email"),
    Sample(
        "email, kept domains",
        "text",
        "'user' || i || '@example.com'",
        {"with": "email", "keep_domains": ["team.example", "team.test"]},
    ),
    Sample("email with capitals", "text", "'User' || i || '@example.com'", "email"),
    Sample("email, not ASCII", "text", "'usér' || i || '@example.com'", "email"),
    Sample("name", "text", "'Name ' || md5(i::text)", "name"),
    Sample("phone", "text", PHONE, "phone"),
    Sample("ip", "inet", "'10.0.0.0'::inet + i", "ip"),
    Sample("text of 30 characters", "text", "left(md5(i::text), 30)", "text"),
    Sample("text of 300 characters", "text", "left(repeat(md5(i::text), 10), 300)", "text"),
    Sample("number, numeric", "numeric(12, 2)", "i % 100000 / 100.0", "number"),
    Sample("number, integer", "integer", "i", "number"),
    Sample("date", "date", "date '1950-01-01' + i::integer % 20000", "date"),
    Sample(
        "date, timestamptz", "timestamptz", "timestamptz '2020-01-01' + i * interval '1 s'", "date"
    ),
    Sample("json, one path", "jsonb", PROFILE, {"with": "json", "paths": {"$.city": "hash"}}),
    Sample("sql", "text", "md5(i::text)", {"with": "sql", "expression": "left({column}, 20)"}),
)


@dataclass(frozen=True, slots=True)
class Cost:
    """What one mask took for a value, in nanoseconds."""

    sample: Sample
    nanoseconds: float


def main() -> int:
    """Measure and print the table; return 0, or 1 if it did not run to its end."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.masks", description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000, help="values of each kind")
    parser.add_argument("--runs", type=int, default=5, help="of each; the fastest is shown")
    call = parser.parse_args()

    def measure(log: Console) -> list[RenderableType]:
        with running(None) as servers:
            log.print("Building the data")
            _build(servers.source, call.rows)
            costs = _measure_all(servers.source, call.rows, call.runs)
            conditions = (
                f"{machine()}; {postgresql(servers.source)}; {call.rows:,} values, the fastest of"
                f" {call.runs}, one process of the server."
            )
            return [_as_table(costs), conditions]

    return run(measure, width=WIDTH)


def _build(database: Database, rows: int) -> None:
    """Create a table of one column for each sample."""
    for number, sample in enumerate(SAMPLES):
        database.execute(
            f"CREATE TABLE t{number} (value {sample.type})",
            f"INSERT INTO t{number} SELECT {sample.value} FROM generate_series(1, {rows}) i",
        )
    database.execute("VACUUM ANALYZE")


def _measure_all(database: Database, rows: int, runs: int) -> list[Cost]:
    rules = {f"public.t{number}.value": sample.rule for number, sample in enumerate(SAMPLES)}
    key = MaskKey(KEY)
    with (
        connect(database.address, "source", execution="bench", read_only=True) as session,
        session.transaction(),
    ):
        catalog = read_catalog(session)
        plan = make_plan(
            Catalogs(catalog, catalog),
            SyncRules.parse(json.dumps({"mask": rules})),
            dry_run=True,
            mask_key=key,
        )
        hand_over(session, key, KEYED)
        session.set_local(max_parallel_workers_per_gather=0)
        columns = {table.name.name: table.compared[0] for table in plan.tables}
        return [
            Cost(sample, _cost(session, f"t{number}", columns[f"t{number}"], runs) / rows)
            for number, sample in enumerate(SAMPLES)
        ]


def _cost(session: Session, table: str, column: PlannedColumn, runs: int) -> float:
    """Return the nanoseconds by which reading a table's masked values takes longer."""
    if not column.mask:
        raise RuntimeError(f"The column of {table} has no mask.")
    original = sql.Identifier("t", "value")
    masked, unmasked = (
        min(_seconds(session, table, value) for _ in range(runs))
        for value in (column.mask.expression, original)
    )
    return (masked - unmasked) * NANOSECONDS


def _seconds(session: Session, table: str, value: sql.Composable) -> float:
    """Return the seconds of a processor that the server takes to compute a table's values."""
    query = sql.SQL("SELECT pg_catalog.count({}) FROM public.{} t")
    (process_id,) = session.row("SELECT pg_catalog.pg_backend_pid()")
    server = psutil.Process(process_id)
    before = server.cpu_times()
    session.row(query.format(value, sql.Identifier(table)))
    after = server.cpu_times()
    return after.user + after.system - before.user - before.system


def _as_table(costs: Sequence[Cost]) -> Table:
    table = Table("mask", "type", box=box.ASCII2)
    table.add_column("ns for a value", justify="right")
    for cost in costs:
        table.add_row(cost.sample.what, cost.sample.type, f"{cost.nanoseconds:,.0f}")
    return table


if __name__ == "__main__":
    sys.exit(main())
