"""The settings that our statements depend on, and how a transaction of ours begins.

A role, a database or a pooler's server connection brings settings along. Those that matter are
set for each transaction with SET LOCAL and for no longer: behind a transaction pooler the next
client gets the same server connection, and must find it as it was.

They are sent with BEGIN itself, in one message, and never by a query: in REPEATABLE READ the first
query takes the snapshot, set_config included. A table that is locked after that may have been
truncated meanwhile, and then reads as empty.
https://www.postgresql.org/docs/current/mvcc-caveats.html
"""

from typing import NamedTuple

from psycopg2 import sql

READ_COMMITTED = "READ COMMITTED"
REPEATABLE_READ = "REPEATABLE READ"
# What the session's temporary tables are called must not hide what the catalog is called.
SEARCH_PATH = "pg_catalog, pg_temp"


class Setting(NamedTuple):
    """A setting with the value that it gets, as SQL; `since`: the first server that has it."""

    name: str
    value: str
    since: int = 0  # as in server_version


# standard_conforming_strings is left as it is: the driver learns it when it connects, and quotes
# by it from then on. No literal in our statements has a backslash.
# Meanings: https://www.postgresql.org/docs/current/runtime-config-client.html
SETTINGS = (
    # What a value's text depends on must be alike on both sides.
    Setting("DateStyle", "'ISO, YMD'"),
    Setting("IntervalStyle", "postgres"),
    Setting("TimeZone", "'UTC'"),
    Setting("bytea_output", "hex"),
    Setting("extra_float_digits", "3"),
    Setting("lc_monetary", "'C'"),
    Setting("xmloption", "content"),
    Setting("array_nulls", "on"),  # else the text of an array has the word NULL for an element
    # Names: as the catalog has them, and found where we say.
    Setting("quote_all_identifiers", "off"),
    Setting("search_path", SEARCH_PATH),
    # Every row, or an error: a policy must not hide some, nor an index leave some out.
    Setting("row_security", "off"),
    Setting("gin_fuzzy_search_limit", "0"),
    Setting("transform_null_equals", "off"),  # else x = NULL is true for some rows
    # Where tables and indexes lie that name no place: where they lay before. temp_tablespaces is
    # left alone: temporary tables may lie on the disk that the database has for them.
    Setting("default_tablespace", "''"),
    Setting("default_table_access_method", "heap", 120000),  # others may know no ctid
    # The role's own limits must not break a long run; ours are set for single statements.
    Setting("lock_timeout", "0"),
    Setting("idle_in_transaction_session_timeout", "0"),
    Setting("transaction_timeout", "0", 170000),
    Setting("exit_on_error", "off"),  # else a lock that is not granted ends the session
    # To compile what runs once takes longer than it saves.
    Setting("jit", "off", 110000),
    # The server notices within seconds that we were killed, and frees our locks.
    Setting("client_connection_check_interval", "'500ms'", 140000),
    Setting("tcp_keepalives_idle", "5"),
    Setting("tcp_keepalives_interval", "2"),
    Setting("tcp_keepalives_count", "3"),
    # Not less: it also ends a connection whose client is alive and does not read, as we do not
    # from production while staging is slow to take what came before.
    Setting("tcp_user_timeout", "'300s'", 120000),
)


def begin(server_version: int, isolation: str, *, read_only: bool) -> sql.Composable:
    """Return the statements that begin a transaction with our settings.

    Everything that BEGIN can say is said: a default of serializable cannot be had on a standby,
    and one of deferrable waits for whoever writes.
    """
    access = "READ ONLY" if read_only else "READ WRITE"
    statements: list[sql.Composable] = [
        sql.SQL(f"BEGIN ISOLATION LEVEL {isolation} {access} NOT DEFERRABLE")
    ]
    statements += [
        sql.SQL("SET LOCAL {} = {}").format(sql.Identifier(name), sql.SQL(value))
        for name, value, since in SETTINGS
        if server_version >= since
    ]
    return sql.SQL("; ").join(statements)


def set_local(values: dict[str, str | int]) -> sql.Composable:
    """Return the statements that set further settings for the transaction."""
    return sql.SQL("; ").join(
        sql.SQL("SET LOCAL {} = {}").format(sql.Identifier(name), sql.Literal(value))
        for name, value in values.items()
    )
