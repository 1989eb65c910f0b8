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


def unlinked_for(row: sql.Composable, *, as_uuid: bool) -> sql.Composable:
    """Return the SQL for an unlinked sub as a text, which is the same whenever it is computed.

    For a sub that other columns follow: those need to know it before the row has it.

    Args:
        row: a text that no other row has, with the sub that it loses.
        as_uuid: whether the value must be the text of a uuid.
    """
    if as_uuid:
        return sql.SQL("(pg_catalog.md5({})::uuid::text)").format(row)
    return sql.SQL("({} || pg_catalog.left(pg_catalog.md5({}), 27))").format(
        sql.Literal(PREFIX), row
    )
