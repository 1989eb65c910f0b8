"""`make bench-followers`: what it costs to compare a table by person and not by value.

A table of two million rows holds the subs of half a million people, as texts or as uuids; and the
reference data does, in its orders. A night in which nothing changed is measured where nobody has a
sub of staging's own, without a rule; and where some of the people have one, or all, and the table
follows. A sync compares the table itself, and finds the people before that.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from rich import box
from rich.console import Console, RenderableType
from rich.table import Table

from common.reports.sync import SyncResult
from db_sync.rules import SyncRules
from db_sync.run import SyncOptions
from db_sync.sync import sync_database
from sandbox.database import Database
from tests.bench import data
from tests.bench.report import machine, postgresql
from tests.bench.run import run
from tests.bench.servers import Servers, running

WIDTH = 118  # characters of the table
MOST_OF_TABLE, MOST_OF_REFERENCE = 2.5, 1.3  # times the comparison by value
SHARES = (1, 100)  # percent of the people
SCHEMA = """
CREATE TABLE users (id bigint PRIMARY KEY, email text, name text, sub {type} UNIQUE);
CREATE TABLE notes (id bigint PRIMARY KEY, owner_sub {type}, title text, made timestamptz);
"""
# Each person's rows are scattered all over the table.
ROWS = (
    "INSERT INTO users SELECT i, 'user' || i || '@example.com', 'Name ' || i,"
    " md5('p' || i)::uuid::{type} FROM generate_series(1, {users}) i",
    "INSERT INTO notes SELECT i, md5('p' || (1 + i * 7919 % {users}))::uuid::{type}, 'Title ' || i,"
    " timestamptz '2026-01-01' + i * interval '1 s' FROM generate_series(1, {rows}::bigint) i",
)
OWN_ORDERS = (
    "ALTER TABLE orders ADD owner_sub uuid",
    "UPDATE orders SET owner_sub = external_id FROM users u WHERE u.id = user_id",
    "VACUUM FULL ANALYZE orders",
)


@dataclass(frozen=True, slots=True)
class Following:
    """A table with a column `owner_sub`, and the sub column of users that it follows."""

    name: str
    table: str
    sub: str

    @property
    def rules(self) -> SyncRules:
        """The rules of a team with this table."""
        sub = f"public.users.{self.sub}"
        keep = [{"column": sub, "while_same": ["email"]}]
        follow = {f"public.{self.table}.owner_sub": sub}
        return SyncRules.parse(json.dumps({"keep": keep, "follow": follow}))


@dataclass(frozen=True, slots=True)
class Night:
    """The seconds of a sync that finds nothing: of all, of the following table, of the users."""

    all: float
    table: float
    users: float


def main() -> int:
    """Measure and print the table; return 0, or 1 if it did not run to its end."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.followers", description=__doc__)
    parser.add_argument("--rows", type=int, default=2_000_000, help="of the table")
    parser.add_argument("--users", type=int, default=500_000, help="people")
    parser.add_argument("--scale", type=float, default=1, help="of the reference data")
    parser.add_argument("--runs", type=int, default=5, help="of each; the median is shown")
    call = parser.parse_args()

    def measure(log: Console) -> list[RenderableType]:
        table = Table("data", "own subs", box=box.ASCII2, title="A night in which nothing changed")
        for heading in ("all, s", "table, s", "users, s", "table / plain", "all / plain", ""):
            table.add_column(heading, justify="right")
        for type_ in ("text", "uuid"):
            with running(None) as servers:
                log.print(f"Building a table of subs as {type_}")
                for database in (servers.source, servers.target):
                    numbers = {"type": type_, "users": call.users, "rows": call.rows}
                    statements = [SCHEMA, *ROWS, "VACUUM ANALYZE"]
                    database.execute(*(each.format(**numbers) for each in statements))
                following = Following(type_, "notes", "sub")
                for row in _measured(servers, following, MOST_OF_TABLE, call.runs, log):
                    table.add_row(*row)
        with running(None) as servers:
            log.print("Building the reference data")
            data.build(servers, call.scale)
            servers.source.execute(*OWN_ORDERS)
            servers.target.execute(OWN_ORDERS[0])
            _sync(servers, SyncRules())
            data.settle(servers)
            following = Following("reference", "orders", "external_id")
            for row in _measured(servers, following, MOST_OF_REFERENCE, call.runs, log):
                table.add_row(*row)
            conditions = (
                f"{machine()}; {postgresql(servers.source)}; {call.rows:,} rows of"
                f" {call.users:,} people, the reference at scale {call.scale:g}, the median of"
                f" {call.runs}; must: the table at most {MOST_OF_TABLE}, all of the reference at"
                f" most {MOST_OF_REFERENCE}."
            )
        return [table, conditions]

    return run(measure, width=WIDTH)


def _measured(
    servers: Servers, following: Following, must: float, runs: int, log: Console
) -> Iterator[Sequence[str]]:
    """Yield the rows of the result for one table."""
    plain = _night(servers, following, SyncRules(), runs, log)
    yield following.name, "no rule", *_seconds(plain), "", "", ""
    for share in SHARES:
        log.print(f"Giving {share} % of the people a sub of their own")
        _give_subs(servers.target, following, share)
        night = _night(servers, following, following.rules, runs, log)
        of_table, of_all = night.table / plain.table, night.all / plain.all
        reached = of_table if must == MOST_OF_TABLE else of_all
        yield (
            following.name,
            f"{share} %",
            *_seconds(night),
            f"{of_table:.2f}",
            f"{of_all:.2f}",
            "must" if reached <= must else "MISSED",
        )


def _give_subs(target: Database, following: Following, share: int) -> None:
    """Give so many of a hundred people a sub of staging's own, and their rows with it."""
    sub, table = following.sub, following.table
    target.execute(
        f"CREATE TABLE moves AS SELECT {sub} AS old, {sub} AS new FROM users WHERE false",
        f"INSERT INTO moves SELECT {sub}, md5('s' || id)::uuid FROM users"
        f" WHERE id % 100 < {share} AND {sub}::text <> md5('s' || id)::uuid::text",
        f"UPDATE users SET {sub} = new FROM moves WHERE {sub} = old",
        f"UPDATE {table} SET owner_sub = new FROM moves WHERE owner_sub = old",
        "DROP TABLE moves",
        "VACUUM FULL ANALYZE users",
        f"VACUUM FULL ANALYZE {table}",
        "CHECKPOINT",
    )


def _night(
    servers: Servers, following: Following, rules: SyncRules, runs: int, log: Console
) -> Night:
    nights = []
    for _ in range(runs):
        result = _sync(servers, rules)
        if result.status != "unchanged":
            raise RuntimeError(f"The night was not quiet: {result.status}.")
        compared = {table.table: table.seconds["compare"] for table in result.tables}
        table, users = (compared[f"public.{name}"] for name in (following.table, "users"))
        nights.append((result.duration_seconds, table, users))
    night = Night(*map(median, zip(*nights, strict=True)))
    log.print(f"{following.name}: {night}")
    return night


def _sync(servers: Servers, rules: SyncRules) -> SyncResult:
    addresses = servers.source.address, servers.target.address
    return sync_database(*addresses, SyncOptions("bench", rules))


def _seconds(night: Night) -> Sequence[str]:
    return [f"{seconds:.2f}" for seconds in (night.all, night.table, night.users)]


if __name__ == "__main__":
    sys.exit(main())
