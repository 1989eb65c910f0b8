"""A random schema: tables with keys of every kind, and foreign keys among them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from random import Random

from tests.fuzz.values import ICU_KEYS, KEYS, VALUES, Type

NAMES = (
    'public."plain"',
    'public."Be ta"',
    'public."sel""ect"',
    'public."100%s{}"',
    'public."über"',
    '"shop 2"."plain"',
    '"shop 2"."order"',
)
ACTIONS = ("NO ACTION", "RESTRICT", "CASCADE", "CASCADE", "SET NULL", "SET NULL", "SET DEFAULT")
TIMINGS = ("", "", "DEFERRABLE", "DEFERRABLE INITIALLY DEFERRED")
# A table's partition strategy, by its first column, and its partitions.
NUMBERED_LAYOUTS = (
    ("RANGE", ("FROM (MINVALUE) TO (3)", "FROM (3) TO (MAXVALUE)")),
    ("RANGE", ("FROM (MINVALUE) TO (5)", "DEFAULT")),
    ("RANGE", ("FROM (0) TO (2)", "FROM (2) TO (900)", "DEFAULT PARTITION BY LIST")),
    ("LIST", ("IN (1, 2, 3)", "DEFAULT")),
)
LAYOUTS = (
    ("HASH", ("WITH (MODULUS 2, REMAINDER 0)", "WITH (MODULUS 2, REMAINDER 1)")),
    ("HASH", ("WITH (MODULUS 1, REMAINDER 0)",)),
    ("LIST", ("DEFAULT",)),
    ("LIST", ("DEFAULT PARTITION BY LIST",)),
)
type Layout = tuple[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Column:
    """A column; `rest` is what follows its type: NOT NULL, a default, an expression."""

    name: str
    type: Type
    rest: str = ""

    @property
    def is_filled(self) -> bool:
        """Whether the column is generated."""
        return "AS (" in self.rest


@dataclass(frozen=True, slots=True)
class Unique:
    """A unique key; `kind` is PRIMARY KEY or UNIQUE with its options, or UNIQUE INDEX."""

    name: str
    columns: tuple[str, ...]
    kind: str
    timing: str = ""


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """A table's foreign key to a unique key of another table."""

    name: str
    columns: tuple[str, ...]
    parent: str
    parent_columns: tuple[str, ...]
    on_delete: str
    on_update: str
    match: str
    timing: str


@dataclass(frozen=True, slots=True)
class Table:
    """A table; `layouts` are its partitions in the source and the target, None without any."""

    name: str
    columns: tuple[Column, ...]
    uniques: tuple[Unique, ...]
    foreign_keys: tuple[ForeignKey, ...] = ()
    inherits: str | None = None
    layouts: tuple[Layout | None, Layout | None] = (None, None)
    extras: tuple[str, ...] = ()

    def column(self, name: str) -> Column:
        """Return the column with a name."""
        return next(column for column in self.columns if column.name == name)


def make_schema(random: Random, *, has_icu: bool) -> list[Table]:
    """Return tables, parents before children except in cycles."""
    keys = (*KEYS, *ICU_KEYS, *ICU_KEYS, *ICU_KEYS) if has_icu else KEYS
    tables: list[Table] = []
    for name in random.sample(NAMES, random.randint(2, 5)):
        tables.append(_table(random, name, keys, tables))
    for number, table in enumerate(tables):
        tables[number] = _with_foreign_keys(random, table, tables[: number + 1], tables)
    return tables


def _table(random: Random, name: str, keys: Sequence[Type], others: Sequence[Table]) -> Table:
    key = [Column("id", random.choice(keys), random.choice(_fillings(random)))]
    if key[0].type.sql not in {"int", "bigint"}:
        key[0] = replace(key[0], rest="")
    if random.random() < 0.25:
        key.append(Column("part", random.choice(keys)))
    columns = [*key, *_columns(random, keys)]
    layouts = _layouts(random, key[0].type) if random.random() < 0.25 else (None, None)
    inherits = None
    roots = [other for other in others if other.layouts == (None, None)]
    if roots and layouts == (None, None) and random.random() < 0.2:
        root = random.choice(roots)
        inherits, columns, key = root.name, list(root.columns), [root.columns[0]]
    uniques = _uniques(random, columns, len(key), is_partitioned=layouts != (None, None))
    extras = _extras(random, name)
    return Table(name, tuple(columns), uniques, (), inherits, layouts, extras)


def _columns(random: Random, keys: Sequence[Type]) -> Iterator[Column]:
    yield from (Column("n", KEYS[0]), Column("u", random.choice(keys)))
    for number in range(random.randint(0, 3)):
        yield Column(f"c{number}", random.choice(VALUES))
    if random.random() < 0.3:
        of_n = random.choice(("n * 2", "coalesce(n, 0) + 1", "n % 3"))
        yield Column("g", KEYS[0], f"GENERATED ALWAYS AS ({of_n}) STORED")


def _fillings(random: Random) -> tuple[str, ...]:
    """Return what may generate the values of an integer key."""
    always = random.choice(("ALWAYS", "BY DEFAULT"))
    step = random.choice(("", "", " (INCREMENT 10)", " (MAXVALUE 12)", " (INCREMENT -1)"))
    return ("", "", f"GENERATED {always} AS IDENTITY{step}", "DEFAULT nextval('numbers')")


def _layouts(random: Random, key: Type) -> tuple[Layout | None, Layout | None]:
    """Return both sides' partitions: usually the same, sometimes none in the target."""
    offered = LAYOUTS + (NUMBERED_LAYOUTS if key.literals[0] == "0" else ())
    source = random.choice(offered)
    target = random.choice((source, source, source, random.choice(offered), None))
    return source, target


def _uniques(
    random: Random, columns: Sequence[Column], length: int, *, is_partitioned: bool
) -> tuple[Unique, ...]:
    key = tuple(column.name for column in columns[:length])
    found = []
    if random.random() < 0.9:
        timing = random.choice(("", "", "", "", "DEFERRABLE"))
        found.append(Unique("pk", key, "PRIMARY KEY", timing))
    candidates = (
        ("u",),
        ("u",),
        ("u", "n"),
        ("n", "u"),
        ("g",) if columns[-1].name == "g" else ("n",),
    )
    for number in range(random.choice((0, 1, 1, 2))):
        chosen = random.choice(candidates)
        if is_partitioned:
            chosen = ("id", *chosen)
        kind = random.choice(("UNIQUE", "UNIQUE", "UNIQUE INDEX", "UNIQUE NULLS NOT DISTINCT"))
        timing = "" if kind == "UNIQUE INDEX" else random.choice((*TIMINGS, "", ""))
        found.append(Unique(f"unique{number}", chosen, kind, timing))
    return tuple(found)


def _extras(random: Random, name: str) -> tuple[str, ...]:
    """Return statements for indexes, checks, triggers and views."""
    log = f"INSERT INTO public.log VALUES ('{name}')"
    offered = (
        f"CREATE INDEX ON {name} (n)",
        f"CREATE INDEX ON {name} ((n % 2), id DESC) INCLUDE (u) WHERE n > 1",
        f"CREATE UNIQUE INDEX ON {name} (u) WHERE n = 1",
        f"ALTER TABLE {name} ADD EXCLUDE USING btree (u WITH =) WHERE (n = 2) DEFERRABLE",
        f"ALTER TABLE {name} ADD CHECK (n IS NULL OR n < 100000)",
        f"CREATE TRIGGER logs AFTER INSERT OR UPDATE OR DELETE ON {name}"
        " FOR EACH ROW EXECUTE FUNCTION public.log_it()",
        f"CREATE TRIGGER refuses BEFORE UPDATE ON {name}"
        " FOR EACH ROW WHEN (old.n = 7) EXECUTE FUNCTION public.skip()",
        f"CREATE RULE logs AS ON UPDATE TO {name} DO ALSO {log}",
        f"CREATE MATERIALIZED VIEW public.view{random.randint(0, 9)} AS SELECT id, n FROM {name}",
    )
    return tuple(random.sample(offered, random.choice((0, 0, 0, 1, 2))))


def _with_foreign_keys(
    random: Random, table: Table, earlier: Sequence[Table], tables: Sequence[Table]
) -> Table:
    """Return a table with foreign keys to some tables, perhaps to itself or later ones."""
    for number in range(random.choice((0, 1, 1, 1, 2, 2))):
        parent = random.choice(earlier if random.random() < 0.7 else tables)
        keys = [unique for unique in parent.uniques if not unique.timing]
        if not keys:
            continue
        key = random.choice(keys)
        columns = [
            Column(f"r{number}_{name}", _referring(random, parent.column(name).type), rest)
            for name in key.columns
            for rest in [random.choice(("", "", "", "NOT NULL"))]
        ]
        columns = [_with_default(random, column) for column in columns]
        foreign_key = ForeignKey(
            f"to{number}",
            tuple(column.name for column in columns),
            parent.name,
            key.columns,
            _on_delete(random, columns),
            random.choice(ACTIONS),
            random.choice(("", "", "MATCH FULL")),
            random.choice(TIMINGS),
        )
        table = replace(
            table,
            columns=(*table.columns, *columns),
            foreign_keys=(*table.foreign_keys, foreign_key),
        )
    return table


def _referring(random: Random, type_: Type) -> Type:
    """Return a type for a column that references a type: usually the same."""
    if type_.akin and random.random() < 0.2:
        return replace(type_, sql=random.choice(type_.akin), akin=(type_.sql,))
    return type_


def _with_default(random: Random, column: Column) -> Column:
    """Return a column, perhaps with a default for SET DEFAULT."""
    if random.random() < 0.4:
        default = random.choice(column.type.literals)
        return replace(column, rest=f"DEFAULT {default} {column.rest}")
    return column


def _on_delete(random: Random, columns: Sequence[Column]) -> str:
    if len(columns) > 1 and random.random() < 0.2:
        return f"{random.choice(('SET NULL', 'SET DEFAULT'))} ({columns[-1].name})"
    return random.choice(ACTIONS)
