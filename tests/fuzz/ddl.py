"""The statements that create a schema on one side."""

from collections.abc import Iterator, Sequence
from random import Random

from tests.fuzz.schemas import Column, ForeignKey, Layout, Table, Unique
from tests.fuzz.values import ICU_TYPES, TYPES

FUNCTIONS = """
CREATE SCHEMA "shop 2";
CREATE SEQUENCE numbers;
CREATE TABLE public.log (name text);
CREATE FUNCTION public.log_it() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO public.log VALUES (tg_table_name); RETURN NULL;
END $$;
CREATE FUNCTION public.skip() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    RETURN NULL;
END $$
"""


def create(tables: Sequence[Table], side: int, random: Random, *, has_icu: bool) -> Iterator[str]:
    """Yield the statements that create a schema; `side` is 0 for the source, 1 for the target."""
    yield TYPES
    if has_icu:
        yield ICU_TYPES
    yield FUNCTIONS
    for table in tables:
        yield _create_table(table, table.layouts[side], random)
        layout = table.layouts[side]
        yield from _create_partitions(table.name, layout) if layout else ()
        for unique in table.uniques:
            yield add_unique(table, unique)
    for table in tables:
        for key in table.foreign_keys:
            yield add_foreign_key(table, key)
        yield from table.extras


def _create_table(table: Table, layout: Layout | None, random: Random) -> str:
    columns = list(table.columns)
    if random.random() < 0.1:
        random.shuffle(columns)
    parts = [define(column) for column in columns]
    inherits = f" INHERITS ({table.inherits})" if table.inherits else ""
    by = f" PARTITION BY {layout[0]} (id)" if layout else ""
    return f"CREATE TABLE {table.name} ({', '.join(parts)}){inherits}{by}"


def define(column: Column) -> str:
    """Return a column's definition."""
    return f"{column.name} {column.type.sql} {column.rest}".rstrip()


def _create_partitions(table: str, layout: Layout) -> Iterator[str]:
    """Yield a statement for each partition; a partition that is divided itself has one DEFAULT."""
    for number, bounds in enumerate(layout[1]):
        name = partition(table, number)
        values = bounds if bounds.startswith("DEFAULT") else f"FOR VALUES {bounds}"
        of = f"PARTITION OF {table}"
        if bounds.endswith("PARTITION BY LIST"):
            yield f"CREATE TABLE {name} {of} {values} (id)"
            yield f"CREATE TABLE {partition(name, 0)} PARTITION OF {name} DEFAULT"
        else:
            yield f"CREATE TABLE {name} {of} {values}"


def partition(table: str, number: int) -> str:
    """Return a partition's name."""
    return f'{table[:-1]}_{number}"'


def add_unique(table: Table, unique: Unique) -> str:
    """Return the statement that adds a unique key."""
    columns = ", ".join(unique.columns)
    name = f'{table.name.split(".")[1][:-1]}_{unique.name}"'
    if unique.kind == "UNIQUE INDEX":
        return f"CREATE UNIQUE INDEX {name} ON {table.name} ({columns})"
    return (
        f"ALTER TABLE {table.name} ADD CONSTRAINT {name} {unique.kind} ({columns}) {unique.timing}"
    )


def add_foreign_key(table: Table, key: ForeignKey, rest: str = "") -> str:
    """Return the statement that adds a foreign key; `rest` may be NOT VALID."""
    return (
        f"ALTER TABLE {table.name} ADD CONSTRAINT {key.name}"
        f" FOREIGN KEY ({', '.join(key.columns)})"
        f" REFERENCES {key.parent} ({', '.join(key.parent_columns)}) {key.match}"
        f" ON DELETE {key.on_delete} ON UPDATE {key.on_update} {key.timing} {rest}"
    )
