"""A row's 64-bit hash: two rows have the same hash if and only if they are identical.

*Identical*, not merely equal: numeric 1.0 and 1.00, interval '1 month' and '30 days' are equal and
hash alike as values. A column is hashed by its value only if equal values of its type always have
the same bytes; otherwise its text is hashed.
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
    if column.type == UNPADDED:
        template = BY_OUTPUT
    elif column.base_type.removesuffix("[]") in PLAIN_TEXT:
        template = BY_VALUE.get(column.base_type, BY_TEXT)
    else:
        template = BY_OUTPUT
    return sql.SQL(template).format(value=sql.SQL("({})").format(value), seed=sql.Literal(seed))
