"""A row's 64-bit hash: two rows have one if and only if they are identical.

*Identical*, not merely equal: numeric 1.0 and 1.00, interval '1 month' and '30 days' are
equal and hash alike as values. A column is hashed by its value only if equal values of its
type are always the same bytes, and through its text otherwise.
"""

from collections.abc import Callable, Iterable

from psycopg2 import sql

from db_sync.plan.tables import PlannedColumn

type ValueOf = Callable[[PlannedColumn], sql.Composable]  # the column on one side

# Functions are called in their own schema: where others are searched too, one of the same name may
# take arguments of more fitting types.

# How the values of a type are hashed, as format_type names it. Only types whose equal values
# are always the same bytes stand here. A record of one hashes it as its type does, for types
# whose own function SQL cannot call in every version.
BY_RECORD = "pg_catalog.hash_record_extended(ROW({value}), {seed})"
# As their bytes, since the hash of a 64-bit number folds it to 32 bits: one change in four
# billion would not be seen.
SENT = "pg_catalog.hash_record_extended(ROW({send}({{value}})), {{seed}})"
BY_VALUE = {
    '"char"': BY_RECORD,
    # By both: its own hash folds the upper half into the lower one. The seed of the upper half is
    # no other column's, of which a table has 1600 at most.
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
    # By their bytes: another collation may hold different strings for equal. A character(n) is
    # padded to n.
    "character": 'pg_catalog.hashbpcharextended({value} COLLATE "C", {seed})',
    "character varying": 'pg_catalog.hashtextextended({value} COLLATE "C", {seed})',
    "name": BY_RECORD.replace("{value}", '{value} COLLATE "C"'),
    "text": 'pg_catalog.hashtextextended({value} COLLATE "C", {seed})',
}
# Types of PostgreSQL's own whose cast to text is their output; so is that of arrays of them.
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
# All others: a cast to text can be any function, and drop what the output shows. That of a
# character without n drops trailing blanks, xml's output drops the declaration.
BY_OUTPUT = 'pg_catalog.hashtextextended(ROW({value})::text COLLATE "C", {seed})'
UNPADDED = "bpchar"  # a character without n: its trailing blanks count for nothing


def row_hash(columns: Iterable[PlannedColumn], value_of: ValueOf) -> sql.Composable:
    """Return the SQL for the hash (bigint) of a row's columns.

    Each column's hash has a seed of its own. They are hashed once more together, as the seed of
    a constant's hash: otherwise two rows that swap a value would leave the sum of their hashes
    as it was.
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
