"""The driver's errors, named as ours.

They are told apart by SQLSTATE:
https://www.postgresql.org/docs/current/errcodes-appendix.html

Only names travel on: the condition and the object that the server reports. The server's own
message and detail can quote a row.
"""

import psycopg2

from common.errors import (
    ConfigurationError,
    DatabaseUnavailable,
    OutOfTime,
    SchemaMismatch,
    StagingSyncError,
    TargetBusy,
)

# What libpq says when the server refuses the credentials. No SQLSTATE reaches the driver
# when a connection fails, so that its words are all there is to tell these cases apart.
REFUSED_CREDENTIALS = (
    "authentication failed",
    "no password supplied",
    "no pg_hba.conf entry",
    "does not exist",
    "permission denied for database",
    "is not permitted to log in",
)

LOST = "The connection was lost"
NO_RESOURCE = "The server is out of a resource (disk, memory or connections)"
LOCKED = "Something else held a lock for too long; start the execution again later"
CANCELLED = "A statement was cancelled: the time was up, or somebody cancelled it"
NO_RIGHT = "The role lacks a right; grant it (README lists what each role needs)"
MISFIT = (
    "A row or a name does not fit; bring both schemas to the same migration, or exclude the table"
)

# A SQLSTATE, or its first two characters, to the error and its sentence.
NAMES: dict[str, tuple[type[StagingSyncError], str]] = {
    "08": (DatabaseUnavailable, LOST),
    "22": (SchemaMismatch, MISFIT),
    "23": (SchemaMismatch, MISFIT),
    "25P04": (OutOfTime, CANCELLED),  # transaction_timeout
    "40001": (DatabaseUnavailable, "A read replica cancelled the query to catch up"),
    "40P01": (TargetBusy, LOCKED),
    "42": (SchemaMismatch, MISFIT),
    "42501": (ConfigurationError, NO_RIGHT),
    "53": (DatabaseUnavailable, NO_RESOURCE),
    "55P03": (TargetBusy, LOCKED),
    "57014": (OutOfTime, CANCELLED),
    "57P01": (DatabaseUnavailable, LOST),
    "57P02": (DatabaseUnavailable, LOST),
    "57P03": (DatabaseUnavailable, LOST),
    "57P05": (DatabaseUnavailable, LOST),
}


# About names and rights: the server's own words quote no row. With a context they may be an
# application's, which can raise any state with any words.
ABOUT_NAMES = frozenset({"42501", "42601", "42703", "42704", "42883", "42P01"})


def connection_error(error: psycopg2.OperationalError, where: str) -> StagingSyncError:
    """Return the error for a connection that did not come about.

    libpq's message names host, port and user, and never the password.
    """
    reason = " ".join(str(error).split())
    if any(words in reason for words in REFUSED_CREDENTIALS):
        return ConfigurationError(
            f"Could not log in to {where}: {reason}. Check the username, password and dbname in"
            " its secret."
        )
    return DatabaseUnavailable(
        f"Could not connect to {where}: {reason}. Check that the server runs, the host and port"
        " in its secret, routes and security groups."
    )


def statement_error(error: psycopg2.Error, where: str) -> StagingSyncError:
    """Return the error for a statement that failed."""
    state = error.pgcode or "08"  # without a state the connection broke in the middle
    name, sentence = NAMES.get(state) or NAMES.get(
        state[:2], (StagingSyncError, "The database reported an error")
    )
    condition = f"{type(error).__name__}, SQLSTATE {state}"
    if state in ABOUT_NAMES and not error.diag.context:
        condition += f" ({error.diag.message_primary})"
    return name(f"{sentence}: {condition}{_object_of(error)}, {where}.")


def _object_of(error: psycopg2.Error) -> str:
    """Return ", table …, constraint …" as far as the server says it."""
    diag = error.diag
    table = ".".join(part for part in (diag.schema_name, diag.table_name) if part)
    named = {"table": table, "column": diag.column_name, "constraint": diag.constraint_name}
    return "".join(f", {kind} {name}" for kind, name in named.items() if name)
