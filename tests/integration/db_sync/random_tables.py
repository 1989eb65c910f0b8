"""Random tables with foreign keys between them; the layout of a table differs between the sides."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from hypothesis import strategies as st

from sandbox.postgres import DEFAULT_VERSION

# SQL literals by type: few of each, so that values are often equal, and the type's awkward ones.
VALUES: dict[str, st.SearchStrategy[str]] = {
    "int": st.integers(-3, 70).map(str),
    "bigint": st.sampled_from(["-9223372036854775808", "0", "1", "9223372036854775807"]),
    "numeric": st.sampled_from(["1.0", "1.00", "0", "-0.0", "'NaN'", "1e20", "'Infinity'"]),
    "float8": st.sampled_from(["0", "'-0'", "'NaN'", "0.1", "'-Infinity'", "1e300"]),
    "text": st.sampled_from(["''", "'a'", "'A'", "'a '", r"E'\\N'", r"E'\t\n'", "'ü'", "'{,}'"]),
    "char(3)": st.sampled_from(["''", "'a'", "'a '", "'abc'"]),
    "bpchar": st.sampled_from(["''", "'a'", "'a '"]),
    "boolean": st.sampled_from(["true", "false"]),
    "bytea": st.sampled_from([r"'\x'", r"'\x00'", r"'\x5c'"]),
    "interval": st.sampled_from(["'1 month'", "'30 days'", "'720 hours'"]),
    "timestamptz": st.sampled_from(["'infinity'", "'2020-01-01 00:00+00'", "'0044-03-15 BC'"]),
    "jsonb": st.sampled_from(["'null'", "'{}'", "'{\"a\": 1.0}'", "'{\"a\": 1.00}'"]),
    "json": st.sampled_from(["'{}'", "'{ }'", '\'{"a":1,"a":2}\'']),
    "int[]": st.sampled_from(["'{}'", "'{1,NULL}'", "'[0:1]={1,2}'", "'{{1},{2}}'"]),
    "numrange": st.sampled_from(["'empty'", "'[1,2)'", "'[1.0,2)'", "'(,)'"]),
    "uuid": st.sampled_from([f"'{digit * 8}-0000-0000-0000-000000000000'" for digit in "01f"]),
}
# A key's columns and their types, by the kind of key; "none" has the column but no key.
KEYS = {
    "int": {"id": "int"},
    "identity": {"id": "int"},
    "text": {"id": "text"},
    "pair": {"id": "int", "part": "text"},
    "none": {"id": "int"},
}
NAMES = ("plain", "Be ta", 'sel"ect', "100%s{}")
UNIQUE = ("UNIQUE", "UNIQUE DEFERRABLE", "UNIQUE DEFERRABLE INITIALLY DEFERRED")
KEPT = ("text", "text NOT NULL", "text UNIQUE", "text UNIQUE NOT NULL")
OWN = ("text", "text DEFAULT 'fresh'", "text NOT NULL DEFAULT 'fresh'")
# Definitions of g, and the factor by which it multiplies `n`; None: it is not generated.
GENERATED: dict[str, int | None] = {
    "bigint": None,
    "bigint GENERATED ALWAYS AS (n * 2) STORED": 2,
    "bigint GENERATED ALWAYS AS (n * 3) STORED": 3,
}
if DEFAULT_VERSION >= 18:
    GENERATED["bigint GENERATED ALWAYS AS (n * 2) VIRTUAL"] = 2
FOREIGN_KEYS = (
    "",
    "DEFERRABLE INITIALLY DEFERRED",
    "ON DELETE CASCADE ON UPDATE CASCADE",
    "ON DELETE SET NULL",
    "ON DELETE RESTRICT ON UPDATE RESTRICT",
    "MATCH FULL",
    "NOT VALID",
)
INDEXES = ("(n)", "((n % 2), id DESC)", "(id) INCLUDE (n) WHERE n > 1")


@dataclass(frozen=True, slots=True)
class Reference:
    """A foreign key to the key, or to the unique column `u`, of the table number `parent`."""

    parent: int
    to_unique: bool
    is_required: bool
    options: str


@dataclass(frozen=True, slots=True)
class Layout:
    """The layout of a table on one side.

    `generated` is the definition of the column g, `partitions` their number (0: it is not
    partitioned), `shift` the number of columns that are moved to the end.
    """

    generated: str | None
    partitions: int
    shift: int


@dataclass(frozen=True, slots=True)
class Table:
    """A table of both sides. These are its columns, some of which only some tables have:

    the key's; n, a number; c0, c1, … of the types in `values`; u, unique; r0_…, r1_…, the
    references; g, generated from n; kept, of the keep rule; own, which only the target has.
    """

    name: str
    key: str
    values: tuple[str, ...]
    unique: str | None
    kept: str | None
    own: str | None
    source: Layout
    target: Layout
    indexes: tuple[str, ...]
    references: tuple[Reference, ...] = ()


@st.composite
def random_tables(draw: st.DrawFn) -> list[Table]:
    """Return up to four tables; a reference may point to any of them, its own table too."""
    tables = [draw(_table(name)) for name in NAMES[: draw(st.sampled_from([2, 3, 4, 1]))]]
    parents = [
        (number, to_unique)
        for number, table in enumerate(tables)
        for to_unique in (False, True)
        if (table.unique == UNIQUE[0] if to_unique else table.key != "none")
    ]
    if not parents:
        return tables
    references = st.lists(_reference(parents), max_size=2).map(tuple)
    return [replace(table, references=draw(references)) for table in tables]


@st.composite
def _table(draw: st.DrawFn, name: str) -> Table:
    is_partitioned = draw(st.sampled_from([False, False, True]))
    # Before PostgreSQL 17 a partitioned table cannot have an identity column.
    kinds = ["int", "text", "pair", "int", "text", "pair" if is_partitioned else "identity", "none"]
    layout = st.builds(
        Layout,
        generated=st.none() | st.sampled_from(sorted(GENERATED)),
        partitions=st.integers(1, 3) if is_partitioned else st.just(0),
        shift=st.integers(0, 4),
    )
    return Table(
        name,
        draw(st.sampled_from(kinds)),
        values=tuple(draw(st.lists(st.sampled_from(sorted(VALUES)), max_size=2))),
        # A unique constraint of a partitioned table must contain the partition key.
        unique=None if is_partitioned else draw(st.sampled_from([*UNIQUE, None])),
        kept=draw(st.sampled_from([None, *(KEPT[:2] if is_partitioned else KEPT)])),
        own=draw(st.none() | st.sampled_from(OWN)),
        source=draw(layout),
        target=draw(layout),
        indexes=tuple(draw(st.lists(st.sampled_from(INDEXES), unique=True))),
    )


@st.composite
def _reference(draw: st.DrawFn, parents: list[tuple[int, bool]]) -> Reference:
    parent, to_unique = draw(st.sampled_from(parents))
    is_required = draw(st.sampled_from([False, False, True]))
    return Reference(parent, to_unique, is_required, draw(st.sampled_from(FOREIGN_KEYS)))


def quoted(name: str) -> str:
    """Return an identifier as SQL."""
    return '"' + name.replace('"', '""') + '"'


def create(tables: Sequence[Table], *, is_target: bool) -> str:
    """Return the statements that create the tables of one side."""
    statements = [_create(tables, table, is_target=is_target) for table in tables]
    for table in tables:
        statements += [f"CREATE INDEX ON {quoted(table.name)} {index}" for index in table.indexes]
        statements += _foreign_keys(tables, table)
    return ";".join(statements)


def reference_columns(tables: Sequence[Table], reference: Reference) -> dict[str, str]:
    """Return the columns that a reference points to, and their types."""
    return {"u": "int"} if reference.to_unique else KEYS[tables[reference.parent].key]


def copied_columns(tables: Sequence[Table], table: Table) -> list[str]:
    """Return the columns whose values must be the source's after a sync."""
    columns = [*KEYS[table.key], "n", *(f"c{number}" for number in range(len(table.values)))]
    columns += ["u"] if table.unique else []
    for number, reference in enumerate(table.references):
        columns += [f"r{number}_{column}" for column in reference_columns(tables, reference)]
    is_g_copied = table.source.generated and table.target.generated == "bigint"
    return columns + (["g"] if is_g_copied else [])


def _create(tables: Sequence[Table], table: Table, *, is_target: bool) -> str:
    layout = table.target if is_target else table.source
    columns = [f"{name} {kind}" for name, kind in KEYS[table.key].items()]
    columns[0] += " GENERATED ALWAYS AS IDENTITY" if table.key == "identity" else ""
    columns += ["n int", *(f"c{number} {kind}" for number, kind in enumerate(table.values))]
    for number, reference in enumerate(table.references):
        null = " NOT NULL" if reference.is_required else ""
        columns += [
            f"r{number}_{name} {kind}{null}"
            for name, kind in reference_columns(tables, reference).items()
        ]
    optional = {
        "u": table.unique and f"int {table.unique}",
        "g": layout.generated,
        "kept": table.kept,
        "own": table.own if is_target else None,
    }
    columns += [f"{name} {definition}" for name, definition in optional.items() if definition]
    shift = layout.shift % len(columns)
    columns = columns[shift:] + columns[:shift]
    if table.key != "none":
        columns.append(f"PRIMARY KEY ({', '.join(KEYS[table.key])})")
    by = " PARTITION BY HASH (id)" if layout.partitions else ""
    return ";".join(
        [
            f"CREATE TABLE {quoted(table.name)} ({', '.join(columns)}){by}",
            *_partitions(table, layout),
        ]
    )


def _partitions(table: Table, layout: Layout) -> Iterator[str]:
    for number in range(layout.partitions):
        yield (
            f"CREATE TABLE {quoted(f'{table.name} {number}')} PARTITION OF {quoted(table.name)}"
            f" FOR VALUES WITH (MODULUS {layout.partitions}, REMAINDER {number})"
        )


def _foreign_keys(tables: Sequence[Table], table: Table) -> Iterator[str]:
    for number, reference in enumerate(table.references):
        parent = tables[reference.parent]
        columns = reference_columns(tables, reference)
        # A partitioned table cannot have a foreign key that is NOT VALID.
        is_whole = table.source.partitions == parent.source.partitions == 0
        options = reference.options if is_whole else reference.options.replace("NOT VALID", "")
        name = quoted(f"to {parent.name} {number}")
        yield (
            f"ALTER TABLE {quoted(table.name)} ADD CONSTRAINT {name}"
            f" FOREIGN KEY ({', '.join(f'r{number}_{column}' for column in columns)})"
            f" REFERENCES {quoted(parent.name)} ({', '.join(columns)}) {options}"
        )
