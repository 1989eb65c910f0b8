"""`make bench-followers`: what it costs to compare a table by person and not by value.

A table of two million rows holds the subs of half a million people, as texts or as uuids. A night
in which nothing changed is measured twice: where nobody has a sub of staging's own, without a rule;
and where some of the people have one, or all, and the table follows. A sync compares the table
itself, and finds the people before that.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from rich import box
from rich.console import Console, RenderableType
from rich.table import Table

from db_sync.rules import SyncRules
from db_sync.run import SyncOptions
from db_sync.sync import sync_database
from sandbox.database import Database
from tests.bench.report import machine, postgresql
from tests.bench.run import run
from tests.bench.servers import Servers, running

WIDTH = 118  # characters of the table
TABLES = {"text": "notes", "uuid": "marks"}
MOST = 2.5  # times the plain comparison
SUB = "public.users.cognito_sub"
KEEP = {"column": SUB, "while_same": ["email"]}
SCHEMA = """
CREATE TABLE users (id bigint PRIMARY KEY, email text, name text, cognito_sub text UNIQUE);
CREATE TABLE notes (id bigint PRIMARY KEY, owner_sub text, title text, made timestamptz);
CREATE TABLE marks (id bigint PRIMARY KEY, owner_sub uuid, title text, made timestamptz);
"""
SUB_OF = "(md5({side} || ({person}))::uuid)"


@dataclass(frozen=True, slots=True)
class Night:
    """The seconds of a sync in which nothing changed: of all of it, and of a part of it."""

    all: float
    table: float
    users: float


def main() -> int:
    """Measure and print the table; return 0, or 1 if it did not run to its end."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.followers", description=__doc__)
    parser.add_argument("--rows", type=int, default=2_000_000, help="of the table")
    parser.add_argument("--users", type=int, default=500_000, help="people")
    parser.add_argument("--runs", type=int, default=5, help="of each; the median is shown")
    call = parser.parse_args()

    def measure(log: Console) -> list[RenderableType]:
        with running(None) as servers:
            log.print("Building the data")
            _build(servers.source, "'p'", call.users, call.rows)
            _build(servers.target, "'p'", call.users, call.rows)
            table = Table(
                "table", "people with a sub of staging's", box=box.ASCII2, title="A quiet night"
            )
            for heading in ("all, s", "table, s", "people, s", "table / plain", "all / plain"):
                table.add_column(heading, justify="right")
            plain = _measure(servers, {}, call.runs, log)
            for type_, night in plain.items():
                table.add_row(type_, "none, no rule", *_seconds(night), "1.00", "1.00")
            for share in (1, 100):
                _give_subs(servers.target, share, log)
                follow = {f"public.{name}.owner_sub": SUB for name in TABLES.values()}
                for type_, night in _measure(servers, follow, call.runs, log).items():
                    ratio = night.table / plain[type_].table
                    table.add_row(
                        type_,
                        f"{share} %",
                        *_seconds(night),
                        f"{ratio:.2f}" + ("" if ratio <= MOST else " MISSED"),
                        f"{night.all / plain[type_].all:.2f}",
                    )
            conditions = (
                f"{machine()}; {postgresql(servers.source)}; {call.rows:,} rows of {call.users:,}"
                f" people, the median of {call.runs}; must: table / plain at most {MOST}."
            )
            return [table, conditions]

    return run(measure, width=WIDTH)


def _build(database: Database, side: str, users: int, rows: int) -> None:
    sub = SUB_OF.format(side=side, person="i")
    of_row = SUB_OF.format(side=side, person=f"1 + i * 7919 % {users}")
    database.execute(
        SCHEMA,
        f"INSERT INTO users SELECT i, 'user' || i || '@example.com', 'Name ' || i, {sub}"
        f" FROM generate_series(1, {users}) i",
    )
    for name in TABLES.values():
        type_ = "text" if name == TABLES["text"] else "uuid"
        database.execute(
            f"INSERT INTO {name} SELECT i, {of_row}::{type_}, 'Title ' || i,"
            f" timestamptz '2026-01-01' + i * interval '1 s'"
            f" FROM generate_series(1, {rows}::bigint) i"
        )
    database.execute("VACUUM ANALYZE")


def _give_subs(target: Database, share: int, log: Console) -> None:
    """Give so many of a hundred people a sub of staging's own, and their rows with it."""
    log.print(f"Giving {share} % of the people a sub of their own")
    target.execute(
        "CREATE TABLE moves AS SELECT cognito_sub AS old, md5('s' || id)::uuid::text AS new"
        f" FROM users WHERE id % 100 < {share} AND cognito_sub = md5('p' || id)::uuid::text",
        "UPDATE users SET cognito_sub = m.new FROM moves m WHERE cognito_sub = m.old",
        *(
            f"UPDATE {name} SET owner_sub = m.new::{type_} FROM moves m"
            f" WHERE owner_sub = m.old::{type_}"
            for type_, name in TABLES.items()
        ),
        "DROP TABLE moves",
    )
    for name in ("users", *TABLES.values()):
        target.execute(f"VACUUM FULL ANALYZE {name}")


def _measure(servers: Servers, follow: dict[str, str], runs: int, log: Console) -> dict[str, Night]:
    """Measure a night for each table alone."""
    nights: dict[str, Night] = {}
    for type_, name in TABLES.items():
        others = [f"public.{other}" for other in TABLES.values() if other != name]
        named = {column: sub for column, sub in follow.items() if f".{name}." in column}
        rules = SyncRules.parse(json.dumps({"keep": [KEEP], "exclude": others, "follow": named}))
        found = [_sync(servers, rules, name) for _ in range(runs)]
        nights[type_] = Night(*(median(column) for column in zip(*found, strict=True)))
        log.print(f"{type_}: {nights[type_]}")
    return nights


def _sync(servers: Servers, rules: SyncRules, name: str) -> tuple[float, float, float]:
    result = sync_database(
        servers.source.address, servers.target.address, SyncOptions("bench", rules)
    )
    if result.status != "unchanged":
        raise RuntimeError(f"The night was not quiet: {result.status}.")
    compared = {table.table: table.seconds["compare"] for table in result.tables}
    return result.duration_seconds, compared[f"public.{name}"], compared["public.users"]


def _seconds(night: Night) -> Sequence[str]:
    return [f"{seconds:.2f}" for seconds in (night.all, night.table, night.users)]


if __name__ == "__main__":
    sys.exit(main())
