"""Why a connection did not come about, by the server's own code and never by its words.

A server tells a SQLSTATE whatever its language; its message may name the user. psycopg2 hands on
the message alone, so that a second try is made through libpq's own switch for it, which puts the
code in the message's place:
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
DIAGNOSIS_LIMIT = 5.0  # seconds; the first try has shown already how long this server takes
CODE = re.compile(r":  ([0-9A-Z]{5})$", re.MULTILINE)

AUTHENTICATION = "28"  # the class of SQLSTATE
NO_PASSWORD = "28P01"  # noqa: S105  # the code for a wrong password

# A SQLSTATE, or its class, to the error and what to do.
REFUSALS: dict[str, tuple[type[StagingSyncError], str]] = {
    "08P01": (
        DatabaseUnavailable,
        "A pooler in between refused the connection; its log says why. Check the username,"
        " password and dbname in the secret, and that the pooler knows them",
    ),
    "28": (
        ConfigurationError,
        "It does not let that user in: there is no such role, or the role or the server's"
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

# Instead of the sentence of any refused login, where a token of IAM is the password.
REFUSED_BY_IAM = (
    "It does not take IAM's token. IAM authentication must be on at the server, the user must have"
    " rds_iam (run there: GRANT rds_iam TO …), the role that asks for the token rds-db:connect on"
    " exactly that resource_id and username, and host must be RDS's own endpoint"
)

# What libpq itself says when it does not trust the server, or the server takes no TLS. An SSL
# error is OpenSSL's, in many words; the one of a connection that was cut is not about trust.
UNTRUSTED = (
    "SSL error: ",
    "does not match host name",
    "root certificate file",
    "server does not support SSL",
)
CUT = "unexpected eof"


@dataclass(frozen=True, slots=True)
class ConnectionFailure:
    """Why a connection failed: the server's SQLSTATE, or else the words of libpq itself."""

    state: str | None
    words: str

    @property
    def is_authentication(self) -> bool:
        """Whether the server refused who we say we are."""
        return self.state is not None and self.state.startswith(AUTHENTICATION)


def diagnose(dsn: str) -> ConnectionFailure:
    """Return why a connection fails, after another try; `state` and words are empty if it works."""
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
    """Return the error for a connection that did not come about; names no user.

    Args:
        failure: why.
        where: whose database, and its address.
        by_token: whether a token of IAM was the password.
    """
    reason = " ".join(failure.words.split())
    if failure.state is not None:
        name, sentence = REFUSALS.get(failure.state) or REFUSALS.get(
            failure.state[:2], (DatabaseUnavailable, "The server's log says why")
        )
        if by_token and failure.is_authentication:
            sentence = REFUSED_BY_IAM
        return name(f"Could not log in to {where}. {sentence} (SQLSTATE {failure.state}).")
    if CUT not in reason and any(words in reason for words in UNTRUSTED):
        return ConfigurationError(
            f"Could not trust {where}: {reason}. The server must take TLS; where ca_bundle is set,"
            " its certificate must be signed by one of that file, be valid, and bear the host name"
            " that the secret names. `make ca-bundle` fetches Amazon's; deploy again after that. A"
            " URL of the command line may say sslmode=disable."
        )
    return DatabaseUnavailable(
        f"Could not connect to {where}: {reason or 'the connection broke'}. Check that the server"
        " runs, the host and port in its secret, routes and security groups."
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
    """Return the driver's own libpq: a library's symbols are those of what it is linked with."""
    library = ctypes.CDLL(_psycopg.__file__)
    library.PQsetErrorVerbosity.argtypes = [ctypes.c_void_p, ctypes.c_int]
    library.PQconnectionNeedsPassword.argtypes = [ctypes.c_void_p]
    return library
