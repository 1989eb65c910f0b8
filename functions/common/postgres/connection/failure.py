"""Why a login failed, by the server's SQLSTATE and never by its message.

The SQLSTATE does not depend on the server's language, and the message may name the user. For a
failed login psycopg2 has the message only, so that another attempt is made with the verbosity at
which libpq reports the SQLSTATE instead of the message:
https://www.postgresql.org/docs/current/libpq-control.html#LIBPQ-PQSETERRORVERBOSITY
"""

import ctypes
import re
import select
import time
from dataclasses import dataclass

import psycopg2
from psycopg2 import _psycopg, extensions

from common.errors import ConfigurationError, DatabaseUnavailable, StagingSyncError

PQERRORS_SQLSTATE = 3  # severity and code only
DIAGNOSIS_LIMIT = 5.0  # seconds; short, since the first attempt has waited long enough
# What libpq asks after a refused connection, as if it were part of the reason.
HINT = re.compile(r" Is the server running [^?]*\?")
CODE = re.compile(r":  ([0-9A-Z]{5})$", re.MULTILINE)

AUTHENTICATION = "28"  # the class of SQLSTATE
NO_PASSWORD = "28P01"  # noqa: S105  # the code for a wrong password

# The error and what to do by SQLSTATE, or by its class.
REFUSALS: dict[str, tuple[type[StagingSyncError], str]] = {
    "08P01": (
        DatabaseUnavailable,
        "A pooler refused the connection; its log says why. Check the username, password and dbname"
        " in the secret, and that the pooler knows them",
    ),
    "28": (
        ConfigurationError,
        "It does not allow that user to log in: there is no such role, or the role or the server's"
        " pg_hba.conf does not permit it. Check the username and dbname in the secret, and"
        " pg_hba.conf",
    ),
    "28P01": (
        ConfigurationError,
        "It refuses the user's name or password. Check the username and password in the secret",
    ),
    "3D000": (ConfigurationError, "It has no database of that name. Check dbname in the secret"),
    "42501": (
        ConfigurationError,
        "The user may not connect to that database. Run there: GRANT CONNECT ON DATABASE … TO …",
    ),
    "53": (
        DatabaseUnavailable,
        "It is out of connections or memory, or the role's own limit of connections is reached",
    ),
    "55000": (ConfigurationError, "That database takes no connections. Check dbname in the secret"),
    "57": (DatabaseUnavailable, "It is starting up or shutting down"),
}

# The sentence for every refused login in which a token of IAM is the password.
REFUSED_BY_IAM = (
    "It does not accept IAM's token. IAM authentication must be enabled on the server, the user"
    " must have rds_iam (run there: GRANT rds_iam TO …), the role that makes the token must have"
    " rds-db:connect on exactly that resource_id and username, and host must be RDS's own endpoint"
)

# In libpq's messages when it does not trust the server, or the server has no TLS. An SSL error is
# one of many of OpenSSL's; the one of a lost connection has nothing to do with trust.
UNTRUSTED = (
    "SSL error: ",
    "does not match host name",
    "root certificate file",
    "server does not support SSL",
)
CUT = "unexpected eof"


@dataclass(frozen=True, slots=True)
class ConnectionFailure:
    """Why a login failed: the server's SQLSTATE, or else libpq's own message."""

    state: str | None
    words: str

    @property
    def is_authentication(self) -> bool:
        """Whether the server refused the user or the password."""
        return self.state is not None and self.state.startswith(AUTHENTICATION)


def diagnose(dsn: str) -> ConnectionFailure:
    """Try to log in again, and return why it fails; `state` and `words` are empty if it works."""
    try:
        connection = psycopg2.connect(dsn, async_=True)
    except psycopg2.OperationalError as error:  # before a server was asked
        return ConnectionFailure(None, str(error))
    try:
        _poll(connection)
    except psycopg2.OperationalError as error:
        words = str(error)
        codes = CODE.findall(words)
        if codes:
            return ConnectionFailure(codes[-1], "")
        if _libpq().PQconnectionNeedsPassword(connection.pgconn_ptr):
            return ConnectionFailure(NO_PASSWORD, "")
        return ConnectionFailure(None, words)
    finally:
        connection.close()
    return ConnectionFailure(None, "")


def connection_error(
    failure: ConnectionFailure, where: str, *, by_token: bool = False
) -> StagingSyncError:
    """Return the error for a login that failed; its message names no user.

    Args:
        failure: why it failed.
        where: the database, for the message.
        by_token: whether a token of IAM was the password.
    """
    reason = HINT.sub("", " ".join(failure.words.split()))
    if failure.state is not None:
        name, sentence = REFUSALS.get(failure.state) or REFUSALS.get(
            failure.state[:2], (DatabaseUnavailable, "The server's log says why")
        )
        if by_token and failure.is_authentication:
            sentence = REFUSED_BY_IAM
        return name(f"Could not log in to {where}. {sentence} (SQLSTATE {failure.state}).")
    if CUT not in reason and any(words in reason for words in UNTRUSTED):
        return ConfigurationError(
            f"Could not trust {where}: {reason}. The server must use TLS; if ca_bundle is set, its"
            " certificate must be signed by one of that file, be valid, and contain the host name"
            " in the secret. `make ca-bundle` fetches Amazon's; deploy again after that. A URL of"
            " the command line may say sslmode=disable."
        )
    return DatabaseUnavailable(
        f"Could not connect to {where}: {reason or 'the connection broke'}. Check that the server"
        " runs, the host and port in its secret or URL, routes and security groups."
    )


def _poll(connection: extensions.connection) -> None:
    """Wait until an asynchronous connection is open.

    Raises:
        psycopg2.OperationalError: it failed, or `DIAGNOSIS_LIMIT` is over.
    """
    _libpq().PQsetErrorVerbosity(connection.pgconn_ptr, PQERRORS_SQLSTATE)
    give_up = time.monotonic() + DIAGNOSIS_LIMIT
    while (state := connection.poll()) != extensions.POLL_OK:
        socket = [connection.fileno()]
        reads = state == extensions.POLL_READ
        left = give_up - time.monotonic()
        if left <= 0 or not any(select.select(socket * reads, socket * (not reads), [], left)):
            raise psycopg2.OperationalError("timeout expired")


def _libpq() -> ctypes.CDLL:
    """Return the driver's libpq: a library also exports the symbols that it is linked with."""
    library = ctypes.CDLL(_psycopg.__file__)
    library.PQsetErrorVerbosity.argtypes = [ctypes.c_void_p, ctypes.c_int]
    library.PQconnectionNeedsPassword.argtypes = [ctypes.c_void_p]
    return library
