"""The settings that our statements depend on, and how our transactions begin.

A role, a database or a pooler's server connection has settings of its own. Those that matter are
set with SET LOCAL, for one transaction at a time: behind a transaction pooler the next client gets
the same server connection, and must find it unchanged.

They are sent together with BEGIN, in one message, and never as a query: in REPEATABLE READ the
first query takes the snapshot, even one that calls set_config. A table that is locked after the
snapshot may have been truncated before the lock, and then reads as empty.
https://www.postgresql.org/docs/current/mvcc-caveats.html
"""

from typing import NamedTuple

from psycopg2 import sql

READ_COMMITTED = "READ COMMITTED"
REPEATABLE_READ = "REPEATABLE READ"
# pg_temp comes last, so that no temporary table hides an object of the catalog.
SEARCH_PATH = "pg_catalog, pg_temp"


class Setting(NamedTuple):
    """A setting and its value, as SQL; `since`: the first version that has it."""

    name: str
    value: str
    since: int = 0  # as in server_version


# standard_conforming_strings is not set: the driver reads it when it connects, and quotes
# accordingly from then on. No literal in our statements contains a backslash.
# Meanings: https://www.postgresql.org/docs/current/runtime-config-client.html
SETTINGS = (
    # What the text of a value depends on must be the same on both sides.
    Setting("DateStyle", "'ISO, YMD'"),
    Setting("IntervalStyle", "postgres"),
    Setting("TimeZone", "'UTC'"),
    Setting("bytea_output", "hex"),
    Setting("extra_float_digits", "3"),
    Setting("lc_monetary", "'C'"),
    Setting("xmloption", "content"),
    Setting("array_nulls", "on"),  # else an element NULL of an array's text is read as a string
    # Names: quoted only where needed, and found in the schemas that we name.
    Setting("quote_all_identifiers", "off"),
    Setting("search_path", SEARCH_PATH),
    # Every row, or an error: no policy may hide rows, and no index may omit some.
    Setting("row_security", "off"),
    Setting("gin_fuzzy_search_limit", "0"),
    Setting("transform_null_equals", "off"),  # else x = NULL is true for some rows
    # The storage of tables and indexes without one of their own: the database's default.
    # temp_tablespaces is not set: temporary tables may use the disk that is meant for them.
    Setting("default_tablespace", "''"),
    Setting("default_table_access_method", "heap", 120000),  # others may have no ctid
    # The role's limits must not end a long run; our own are set for single statements.
    Setting("lock_timeout", "0"),
    Setting("idle_in_transaction_session_timeout", "0"),
    Setting("transaction_timeout", "0", 170000),
    Setting(
        "exit_on_error", "off"
    ),  # else any error, as of a lock that is not granted, ends the session
    # Compiling a statement that runs once takes longer than it saves.
    Setting("jit", "off", 110000),
    # So that the server notices within seconds that we were killed, and releases our locks.
    Setting("client_connection_check_interval", "'500ms'", 140000),
    Setting("tcp_keepalives_idle", "5"),
    Setting("tcp_keepalives_interval", "2"),
    Setting("tcp_keepalives_count", "3"),
    # Not less: it also ends a connection whose client is alive but does not read, as ours from
    # production while staging is slow to write the rows read before.
    Setting("tcp_user_timeout", "'300s'", 120000),
)


def begin(server_version: int, isolation: str, *, read_only: bool) -> sql.Composable:
    """Return the statements that begin a transaction with our settings.

    BEGIN names every mode, so that no default applies: SERIALIZABLE is not possible on a standby,
    and DEFERRABLE would wait for other writers.
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
