"""Differences between the two sides' schemas, as statements for one of them."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random

from tests.fuzz.ddl import add_foreign_key, add_unique
from tests.fuzz.schemas import ACTIONS, TIMINGS, ForeignKey, Table
from tests.fuzz.values import VALUES

type Drift = Callable[[Random, Table], str | None]


def drift(random: Random, tables: Sequence[Table]) -> list[str]:
    """Return statements that change one side's schema; some fail, and then it does not differ."""
    found = random.choice(DRIFTS)(random, random.choice(tables))
    return [found] if found else []


def _another_foreign_key(random: Random, table: Table) -> str | None:
    """Give a foreign key another action, match type or timing, or make it NOT VALID."""
    if not table.foreign_keys:
        return None
    key = random.choice(table.foreign_keys)
    changed: ForeignKey = random.choice(
        (
            replace(key, on_delete=random.choice(ACTIONS)),
            replace(key, on_delete=random.choice(ACTIONS), on_update=random.choice(ACTIONS)),
            replace(key, match="" if key.match else "MATCH FULL"),
            replace(key, timing=random.choice(TIMINGS)),
            key,
        )
    )
    rest = random.choice(("", "", "NOT VALID"))
    return f"{_drop(table, key.name)}; {add_foreign_key(table, changed, rest)}"


def _no_foreign_key(random: Random, table: Table) -> str | None:
    if not table.foreign_keys:
        return None
    return _drop(table, random.choice(table.foreign_keys).name)


def _no_unique(random: Random, table: Table) -> str | None:
    """Drop a unique key, sometimes with the foreign keys that reference it."""
    if not table.uniques:
        return None
    unique = random.choice(table.uniques)
    statement = add_unique(table, unique)
    name = statement.split(" CONSTRAINT ")[-1].split(f" {unique.kind}")[0]
    if unique.kind == "UNIQUE INDEX":
        return None
    return f"{_drop(table, name)} {random.choice(('', 'CASCADE'))}"


def _another_unique(random: Random, table: Table) -> str | None:
    """Change whether an unreferenced unique key is deferrable, or add a unique key."""
    if not table.uniques or random.random() < 0.3:
        return f"ALTER TABLE {table.name} ADD UNIQUE (n) {random.choice(TIMINGS)}"
    unique = random.choice(table.uniques)
    if unique.kind == "UNIQUE INDEX":
        return None
    statement = add_unique(table, replace(unique, timing=random.choice(TIMINGS)))
    name = statement.split(" CONSTRAINT ")[-1].split(f" {unique.kind}")[0]
    return f"{_drop(table, name)}; {statement}"


def _own_column(random: Random, table: Table) -> str:
    rest = random.choice(("", "DEFAULT 'fresh'", "NOT NULL DEFAULT 'fresh'", "UNIQUE"))
    return f"ALTER TABLE {table.name} ADD own text {rest}"


def _no_column(random: Random, table: Table) -> str:
    column = random.choice(table.columns)
    return f"ALTER TABLE {table.name} DROP {column.name} {random.choice(('', 'CASCADE'))}"


def _another_type(random: Random, table: Table) -> str | None:
    """Give a column another type or collation with the same texts."""
    columns = [column for column in table.columns if column.type.akin]
    if not columns:
        return None
    column = random.choice(columns)
    kind = random.choice(column.type.akin)
    using = f"USING {column.name}::text::{kind.split(' COLLATE ')[0]}"
    return f"ALTER TABLE {table.name} ALTER {column.name} TYPE {kind} {using}"


def _moved_column(random: Random, table: Table) -> str:
    """Add a column and drop it again, so that the numbers of later columns differ."""
    kind = random.choice(VALUES).sql
    return f"ALTER TABLE {table.name} ADD gone {kind}; ALTER TABLE {table.name} DROP gone"


def _required(random: Random, table: Table) -> str:
    column = random.choice(table.columns)
    verb = random.choice(("SET", "DROP"))
    return f"ALTER TABLE {table.name} ALTER {column.name} {verb} NOT NULL"


def _another_default(random: Random, table: Table) -> str:
    column = random.choice(table.columns)
    value = random.choice(column.type.literals)
    return f"ALTER TABLE {table.name} ALTER {column.name} SET DEFAULT {value}"


def _check(random: Random, table: Table) -> str:
    condition = random.choice(("n < 6", "n IS NOT NULL", "n <> 12"))
    return f"ALTER TABLE {table.name} ADD CHECK ({condition}) {random.choice(('', 'NOT VALID'))}"


def _domain(random: Random, _: Table) -> str:
    bound = random.choice(("VALUE < 6", "VALUE < 5000", "VALUE IS NOT NULL"))
    rest = random.choice(("", "NOT VALID"))
    return f"ALTER DOMAIN types.small ADD CONSTRAINT more CHECK ({bound}) {rest}"


def _labels(random: Random, _: Table) -> str:
    return random.choice(
        (
            "ALTER TYPE types.mood ADD VALUE 'z'",
            "ALTER TYPE types.mood ADD VALUE 'new' BEFORE 'calm'",
            "ALTER TYPE types.mood RENAME VALUE 'b' TO 'other'",
        )
    )


def _trigger(random: Random, table: Table) -> str:
    enabled = random.choice(("ENABLE ALWAYS", "ENABLE REPLICA", "DISABLE"))
    what = random.choice(("TRIGGER refuses", "TRIGGER logs", "RULE logs"))
    return f"ALTER TABLE {table.name} {enabled} {what}"


def _no_table(_: Random, table: Table) -> str:
    return f"DROP TABLE {table.name} CASCADE"


def _another_sequence(random: Random, table: Table) -> str:
    return random.choice(
        (
            "ALTER SEQUENCE numbers INCREMENT 5",
            f"ALTER TABLE {table.name} ALTER id DROP IDENTITY IF EXISTS",
            f"ALTER TABLE {table.name} ALTER id DROP DEFAULT",
        )
    )


def _unlogged(_: Random, table: Table) -> str:
    return f"ALTER TABLE {table.name} SET UNLOGGED"


def _drop(table: Table, constraint: str) -> str:
    return f"ALTER TABLE {table.name} DROP CONSTRAINT {constraint}"


def _generated(random: Random, table: Table) -> str | None:
    """Return a statement that changes how a generated column gets its values."""
    if not any(column.is_filled for column in table.columns):
        return None
    return random.choice(
        (
            f"ALTER TABLE {table.name} ALTER g DROP EXPRESSION",
            f"ALTER TABLE {table.name} DROP g CASCADE; ALTER TABLE {table.name}"
            " ADD g int GENERATED ALWAYS AS (n * 5) STORED",
        )
    )


DRIFTS: tuple[Drift, ...] = (
    *(_another_foreign_key,) * 6,
    *(_no_foreign_key, _no_foreign_key, _no_unique, _another_unique, _another_unique),
    *(_own_column, _no_column, _another_type, _another_type, _another_type, _moved_column),
    *(_required, _another_default, _check, _domain, _labels, _trigger, _trigger, _no_table),
    *(_another_sequence, _unlogged, _generated),
)
