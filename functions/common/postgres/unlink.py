"""The value of a row's sub after it was taken away, because it belongs to another row."""

from psycopg2 import sql

PREFIX = "unlinked:"


def unlinked_value(*, is_required: bool, base_type: str) -> sql.Composable:
    """Return the SQL value of an unlinked sub: NULL, or a unique value where it is NOT NULL.

    Args:
        is_required: whether the column is NOT NULL.
        base_type: the column's type without its modifier; a uuid cannot hold the prefix.
    """
    if not is_required:
        return sql.SQL("NULL")
    if base_type == "uuid":
        return sql.SQL("gen_random_uuid()")
    # With 27 of a UUID's 32 digits it is as long as a sub: 36 characters, which fit every column.
    return sql.SQL("({} || left(replace(gen_random_uuid()::text, '-', ''), 27))").format(
        sql.Literal(PREFIX)
    )
