"""A row's 64-bit hash: two rows have the same hash if and only if they are identical.

*Identical*, not merely equal: numeric 1.0 and 1.00, interval '1 month' and '30 days' are equal and
hash alike as values. A column is hashed by its value only if equal values of its type always have
the same bytes, or if what they differ in is hashed too; otherwise its text is hashed.

Arrays are hashed by their text. PostgreSQL's hash of an array leaves out its dimensions, and is a
polynomial in 31 of its elements' hashes: long arrays whose elements traded places in certain
patterns hash alike, whatever the elements and the seed. So is jsonb: its numbers hash as values.
"""

from collections.abc import Callable, Iterable

from psycopg2 import sql

from db_sync.plan.tables import PlannedColumn

type ValueOf = Callable[[PlannedColumn], sql.Composable]  # the column on one side

# Functions are called with their schema: in another one on the search path, a function of the same
# name may match the argument types better.

# How values of a type, as format_type names it, are hashed: only of types whose equal values always
# have the same bytes. A record of one value hashes it as its type does; it serves for types whose
# hash function cannot be called from SQL in every version.
BY_RECORD = "pg_catalog.hash_record_extended(ROW({value}), {seed})"
# By their bytes, since the hash of a 64-bit number folds it to 32 bits: one change in four billion
# would go unnoticed.
SENT = "pg_catalog.hash_record_extended(ROW({send}({{value}})), {{seed}})"
BY_VALUE = {
    '"char"': BY_RECORD,
    # By both halves, since bigint's hash folds the upper half into the lower one. No column's seed
    # equals that of the upper half: a table has at most 1600 columns.
    "bigint": (
        "pg_catalog.hashint8extended({value}, {seed})"
        " # pg_catalog.hashint4extended(({value} >> 32)::int4, 1600 + {seed})"
    ),
    "boolean": BY_RECORD,
    "bytea": BY_RECORD,
    "date": BY_RECORD,
    "integer": "pg_catalog.hashint4extended({value}, {seed})",
    "macaddr": BY_RECORD,
    "oid": BY_RECORD,
    "smallint": "pg_catalog.hashint2extended({value}, {seed})",
    "time without time zone": SENT.format(send="pg_catalog.time_send"),
    "timestamp with time zone": SENT.format(send="pg_catalog.timestamptz_send"),
    "timestamp without time zone": SENT.format(send="pg_catalog.timestamp_send"),
    "uuid": "pg_catalog.uuid_hash_extended({value}, {seed})",
    # By their bytes, since another collation may consider different strings equal. A character(n)
    # is padded to n.
    "character": 'pg_catalog.hashbpcharextended({value} COLLATE "C", {seed})',
    "character varying": 'pg_catalog.hashtextextended({value} COLLATE "C", {seed})',
    "name": BY_RECORD.replace("{value}", '{value} COLLATE "C"'),
    "text": 'pg_catalog.hashtextextended({value} COLLATE "C", {seed})',
}
# PostgreSQL's own types whose cast to text gives their output, also in arrays.
BY_TEXT = 'pg_catalog.hashtextextended({value}::text COLLATE "C", {seed})'
# How values are hashed that are read as they are stored, and so may be read more than once: in a
# fraction of the time. A mask would be computed again each time.
STORED = {
    # By its number, since whether a "char" has a sign depends on the server's processor.
    '"char"': "pg_catalog.hashint4extended({value}::int4, {seed})",
    "boolean": "pg_catalog.hashint4extended({value}::int4, {seed})",
    "cidr": "pg_catalog.hashinetextended({value}, {seed})",
    # The hash of a date cannot be called from SQL before PostgreSQL 18; nothing can be subtracted
    # from an infinite one.
    "date": (
        "CASE WHEN pg_catalog.isfinite({value}) THEN pg_catalog.hashint4extended("
        f"pg_catalog.date_mi({{value}}, '2000-01-01'::date), {{seed}}) ELSE {BY_TEXT} END"
    ),
    # Zero's hash is the seed, with and without a sign.
    "double precision": (
        f"CASE WHEN pg_catalog.float8eq({{value}}, 0::float8) THEN {BY_TEXT}"
        " ELSE pg_catalog.hashfloat8extended({value}, {seed}) END"
    ),
    "inet": "pg_catalog.hashinetextended({value}, {seed})",
    "interval": SENT.format(send="pg_catalog.interval_send"),
    "macaddr": "pg_catalog.hashmacaddrextended({value}, {seed})",
    "macaddr8": "pg_catalog.hashmacaddr8extended({value}, {seed})",
    "name": "pg_catalog.hashnameextended({value}, {seed})",
    # The hash of a numeric leaves out its sign and its scale, which NaN and the infinities lack. It
    # is mixed once more: it is the hash of the digits XOR their weight, so that 1 and 10000 differ
    # in one bit, and two columns that change from one to the other would cancel out. Zero hashes
    # to the seed less one, which must be no other column's seed.
    "numeric": (
        "coalesce(pg_catalog.hashint4extended("
        "3 * pg_catalog.scale({value}) + pg_catalog.numeric_cmp({value}, 0::numeric),"
        f" pg_catalog.hash_numeric_extended({{value}}, 4000 + {{seed}})), {BY_TEXT})"
    ),
    "oid": "pg_catalog.hashoidextended({value}, {seed})",
    "real": (
        f"CASE WHEN pg_catalog.float4eq({{value}}, 0::float4) THEN {BY_TEXT}"
        " ELSE pg_catalog.hashfloat4extended({value}, {seed}) END"
    ),
}
# A type such as numeric(12, 2) gives its scale to each of its values, and has no infinity.
STORED_SCALED = (
    "pg_catalog.hashint4extended(pg_catalog.numeric_cmp({value}, 0::numeric),"
    " pg_catalog.hash_numeric_extended({value}, 4000 + {seed}))"
)
# An enum's hash is that of a number, which differs from server to server; a cast may be the user's.
STORED_ENUM = (
    "pg_catalog.hashtextextended("
    'pg_catalog.textin(pg_catalog.enum_out({value})) COLLATE "C", {seed})'
)
PLAIN_TEXT = frozenset(
    {
        "bit",
        "bit varying",
        "double precision",
        "interval",
        "json",
        "jsonb",
        "numeric",
        "real",
        "time with time zone",
    }
    | BY_VALUE.keys()
)
# All other types: their cast to text may be any function, and lose what the output shows. The cast
# of bpchar removes trailing blanks; that of xml keeps the declaration, which the output lacks.
BY_OUTPUT = 'pg_catalog.hashtextextended(ROW({value})::text COLLATE "C", {seed})'
UNPADDED = "bpchar"  # a character type without n, whose trailing blanks are insignificant


def row_hash(columns: Iterable[PlannedColumn], value_of: ValueOf) -> sql.Composable:
    """Return the SQL for the hash (bigint) of a row's columns.

    Each column's hash has its own seed. Combined, they are the seed of a constant's hash: otherwise
    two rows that exchange a value would not change the sum of their hashes.
    """
    hashes = [
        sql.SQL("coalesce({}, 0)").format(_hashed(column, value_of(column), seed))
        for seed, column in enumerate(columns, start=1)
    ]
    return sql.SQL("pg_catalog.hashint4extended(0, {})").format(
        sql.SQL(" # ").join(hashes) if hashes else sql.SQL("0")
    )


def _hashed(column: PlannedColumn, value: sql.Composable, seed: int) -> sql.Composable:
    """Return the SQL for the hash of one column's value."""
    template = _stored(column) or _computed(column)
    return sql.SQL(template).format(value=sql.SQL("({})").format(value), seed=sql.Literal(seed))


def _stored(column: PlannedColumn) -> str | None:
    """Return how a column is hashed whose values are stored alike; None: as any other."""
    if column.mask or not column.is_binary:  # that is, both sides have the same type
        return None
    if column.is_enum:
        return STORED_ENUM
    has_scale = column.base_type == "numeric" and column.type != column.base_type
    return STORED_SCALED if has_scale else STORED.get(column.base_type)


def _computed(column: PlannedColumn) -> str:
    """Return how a column is hashed whose values may take time to compute."""
    if column.type == UNPADDED:
        return BY_OUTPUT
    if column.base_type.removesuffix("[]") in PLAIN_TEXT:
        return BY_VALUE.get(column.base_type, BY_TEXT)
    return BY_OUTPUT
