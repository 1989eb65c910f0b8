"""A row's 64-bit hash: two rows have one if and only if they are identical.

*Identical*, not merely equal: numeric 1.0 and 1.00, interval '1 month' and '30 days' are
equal and hash alike as values. A column is hashed by its value only if equal values of its
type are always the same bytes, and through its text otherwise.
"""

from collections.abc import Callable, Iterable

from psycopg2 import sql

from db_sync.plan import PlannedColumn

type ValueOf = Callable[[PlannedColumn], sql.Composable]  # the column on one side

# Types whose equal values are always the same bytes, as format_type names them.
SAFE_TYPES = frozenset(
    {
        '"char"',
        "bigint",
        "boolean",
        "bytea",
        "date",
        "integer",
        "macaddr",
        "oid",
        "smallint",
        "time without time zone",
        "timestamp with time zone",
        "timestamp without time zone",
        "uuid",
    }
)
# Likewise, by their bytes: another collation may hold different strings for equal. A
# character(n) is padded to n; without n (bpchar) its trailing blanks count for nothing.
SAFE_STRINGS = frozenset({"character", "character varying", "name", "text"})
UNPADDED = "bpchar"


def row_hash(columns: Iterable[PlannedColumn], value_of: ValueOf) -> sql.Composable:
    """Return the SQL for the hash (bigint) of a row's columns.

    Hashed once more, since a record's hash is a linear combination of its columns': two rows
    that swap a value would leave the sum of their hashes as it was.
    """
    return sql.SQL("hashint8extended(hash_record_extended(ROW({}), 0), 0)").format(
        sql.SQL(", ").join(_hashed(column, value_of(column)) for column in columns)
    )


def _hashed(column: PlannedColumn, value: sql.Composable) -> sql.Composable:
    """Return what is hashed of a column."""
    if column.type == UNPADDED:
        # Its cast to text drops the blanks that its output shows.
        return sql.SQL('ROW({})::text COLLATE "C"').format(value)
    if column.base_type in SAFE_TYPES:
        return value
    if column.base_type in SAFE_STRINGS:
        return sql.SQL('{} COLLATE "C"').format(value)
    return sql.SQL('({})::text COLLATE "C"').format(value)
