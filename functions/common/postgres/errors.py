"""The driver's errors, named as ours.

They are distinguished by SQLSTATE:
https://www.postgresql.org/docs/current/errcodes-appendix.html

Our messages repeat names only: the condition's, and the reported object's if the catalog has it.
The server's own message and detail can quote a row.
"""

import psycopg2
from psycopg2 import errors, extensions

from common.errors import (
    ConfigurationError,
    DatabaseUnavailable,
    OutOfTime,
    SchemaMismatch,
    StagingSyncError,
    TargetBusy,
)
from common.postgres.known_names import KnownNames
from common.postgres.size_errors import TOO_LARGE, is_too_large

LOST = "The connection was lost"
NO_RESOURCE = "The server ran out of a resource (disk, memory or connections)"
LOCKED = "Something else held a lock for too long; start the execution again later"
DEADLOCKED = "The run and the application waited for each other's locks"
CONFLICT = (
    "The server ended the transaction in favour of another one, or of changes that a read replica"
    " has to replay; start the execution again"
)
# The only reason for which a server ends a transaction like the source's, which reads a snapshot.
# https://www.postgresql.org/docs/current/hot-standby.html#HOT-STANDBY-CONFLICT
REPLICA = (
    "The source is a read replica, and the sync conflicted with changes that it has to replay (a"
    " conflict with recovery)"
)
# The server may also end the session, and then no SQLSTATE reaches the driver.
LOST_REPLICA = (
    "The connection was lost; the source is a read replica, which ends a session that conflicts"
    " with changes that it has to replay"
)
GIVE_IT_TIME = (
    ". Set max_standby_streaming_delay there to more than a sync takes, or hot_standby_feedback to"
    " on (docs/deployment.md says what each costs), or read from the primary"
)
CANCELLED = "A statement was cancelled: the time was up, or somebody cancelled it"
NO_RIGHT = "The role lacks a right; grant it (README lists what each role needs)"
READ_ONLY = (
    "The database takes no writes: it is a read replica; name the writable one in its secret"
)
MISFIT = (
    "A row or a name does not fit; bring both schemas to the same migration, or exclude the table"
)
# What production's rows break in the target.
TOO_LONG = "A text is longer than its column allows; widen the column in the target"
OUT_OF_RANGE = "A number is out of the range of its column's type; widen the type in the target"
MALFORMED = (
    "A value is not valid in the type that it is converted to; correct it in the source, or give"
    " the column the source's type"
)
NO_VALUE = "A row has NULL in a column that is NOT NULL in the target; drop that NOT NULL there"
NO_PARENT = "A row refers to a row that is missing; drop the foreign key in the target"
NOT_UNIQUE = (
    "Two rows have the same values in columns that are unique in the target; drop that constraint"
    " or index there"
)
CHECKED = "A row breaks a check of the target; drop the constraint there, or make it fit the rows"
CHECKED_BY_DOMAIN = (
    "A value breaks a check of a domain of the target; drop the constraint there, or make it fit"
    " the values. A check that reads another table, which may be written later, can stand on the"
    " tables that use the domain: theirs are checked when all rows are written"
)
NO_PARTITION = (
    "A row fits no partition of the target's table; create there the partition that the source"
    " has for it, or a DEFAULT partition"
)
TOO_BIG = "A row exceeds a limit of the server, often an index's; drop that index in the target"
OWN_FUNCTION = (
    "A function of the application's own schema (in a check, an index, a trigger) refused a row;"
    " the database's log says why"
)

NO_SUCH_CHARACTER = (
    "A text has a character that the database's encoding lacks; recreate the database with the"
    " encoding UTF8, or remove that text"
)

# Has the same SQLSTATE, but is raised by the JSON parser.
ESCAPED = (
    "A JSON value has an escape that cannot be converted to text, as \\u0000 never can; remove it"
    " in the source, or change the column to json in the target"
)
UNTRANSLATABLE = "22P05"

DAMAGED = (
    "A page or an index of the database is damaged; its log says which, and a restore or REINDEX"
    " repairs it"
)
NO_FILE = "The server cannot read or write one of its files; its log says which"
WRONG_STATE = (
    "An object of the database is not in the state that a statement needs, for example a published"
    " table without a replica identity; the database's log says which"
)

# The error and its sentence by SQLSTATE, or by its first two characters, its class.
NAMES: dict[str, tuple[type[StagingSyncError], str]] = {
    "08": (DatabaseUnavailable, LOST),
    "22": (SchemaMismatch, MISFIT),
    "22001": (SchemaMismatch, TOO_LONG),
    "22003": (SchemaMismatch, OUT_OF_RANGE),
    "22P02": (SchemaMismatch, MALFORMED),
    UNTRANSLATABLE: (ConfigurationError, NO_SUCH_CHARACTER),
    "23": (SchemaMismatch, MISFIT),
    "23502": (SchemaMismatch, NO_VALUE),
    "23503": (SchemaMismatch, NO_PARENT),
    "23505": (SchemaMismatch, NOT_UNIQUE),
    "23514": (SchemaMismatch, CHECKED),
    "23P01": (SchemaMismatch, NOT_UNIQUE),
    "25006": (ConfigurationError, READ_ONLY),
    "25P04": (OutOfTime, CANCELLED),  # transaction_timeout
    "40001": (DatabaseUnavailable, CONFLICT),
    "40P01": (TargetBusy, DEADLOCKED),
    "42": (SchemaMismatch, MISFIT),
    "42501": (ConfigurationError, NO_RIGHT),
    "53": (DatabaseUnavailable, NO_RESOURCE),
    "54000": (SchemaMismatch, TOO_BIG),
    "55000": (SchemaMismatch, WRONG_STATE),
    "55P03": (TargetBusy, LOCKED),
    "57014": (OutOfTime, CANCELLED),
    "57P01": (DatabaseUnavailable, LOST),
    "57P02": (DatabaseUnavailable, LOST),
    "57P03": (DatabaseUnavailable, LOST),
    "57P04": (DatabaseUnavailable, LOST),  # the database was dropped; on a read replica too
    "57P05": (DatabaseUnavailable, LOST),
    "58": (StagingSyncError, NO_FILE),
    "P0001": (SchemaMismatch, OWN_FUNCTION),
    "XX001": (StagingSyncError, DAMAGED),
    "XX002": (StagingSyncError, DAMAGED),
}


# About names and rights: the server's own message quotes no row. If the error has a context, an
# application's function may have raised it, with any state and any text. If it has no position in
# the statement, what is named may be a value: 'Ada Lovelace'::tsquery is a syntax error too.
NO_RIGHT_STATE = "42501"
ABOUT_NAMES = frozenset({"42601", "42703", "42704", "42883", "42P01"})


def statement_error(
    error: psycopg2.Error,
    where: str,
    names: KnownNames,
    *,
    is_source: bool = False,
    is_standby: bool = False,
) -> StagingSyncError:
    """Return the error for a statement that failed.

    Args:
        error: the driver's error.
        where: the database, for the message.
        names: the names that the message may repeat.
        is_source: whether the statement failed in the source.
        is_standby: whether that server is a standby.
    """
    state = error.pgcode or "08"  # without a SQLSTATE the connection was lost
    name, sentence = NAMES.get(state) or NAMES.get(
        state[:2], (StagingSyncError, "The database reported an error")
    )
    if is_too_large(error):
        name, sentence = SchemaMismatch, TOO_LARGE
    if is_source and name is TargetBusy:
        # A migration of production, or a replica that has to replay conflicting changes.
        name = DatabaseUnavailable
    if state == UNTRANSLATABLE and error.diag.source_function != "report_untranslatable_char":
        sentence = ESCAPED
    if is_source:
        sentence = _of_replica(state, sentence, is_standby=is_standby)
    if state == "23514":
        sentence = _of_check(error.diag)
    condition = f"{type(error).__name__}, SQLSTATE {state}"
    if _quotes_no_row(state, error.diag):
        condition += f" ({error.diag.message_primary})"
    return name(f"{sentence}: {condition}{names.named_in(error.diag)}, {where}.")


def _quotes_no_row(state: str, diagnostics: extensions.Diagnostics) -> bool:
    """Return whether the server's own message is certain to quote names only."""
    if diagnostics.context:
        return False
    return state == NO_RIGHT_STATE or (
        state in ABOUT_NAMES and diagnostics.statement_position is not None
    )


def _of_check(diagnostics: extensions.Diagnostics) -> str:
    """Return the sentence for a row that breaks a check of a table, a domain or a partition."""
    if diagnostics.datatype_name:
        return CHECKED_BY_DOMAIN
    is_partition = diagnostics.table_name and not diagnostics.constraint_name
    return NO_PARTITION if is_partition else CHECKED


def _of_replica(state: str, sentence: str, *, is_standby: bool) -> str:
    """Return the sentence for the source, where a read replica may have ended the transaction."""
    if state == "40001":
        return REPLICA + GIVE_IT_TIME
    return LOST_REPLICA + GIVE_IT_TIME if is_standby and sentence == LOST else sentence


def is_duplicate(error: BaseException | None) -> bool:
    """Return whether an error of ours comes from a unique or an exclusion constraint."""
    while error is not None:
        if isinstance(error, (errors.UniqueViolation, errors.ExclusionViolation)):
            return True
        error = error.__cause__
    return False


def is_deadlock_detected(error: BaseException) -> bool:
    """Return whether PostgreSQL ended a statement of ours because of a deadlock."""
    return isinstance(error, errors.DeadlockDetected)
