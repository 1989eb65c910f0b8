"""Logging in to a server, with a secret that may be about to change."""

import os
import threading
import time
from collections.abc import Callable

import psycopg2
from psycopg2 import extensions

from common.log import logger
from common.postgres.connection.address import DatabaseAddress
from common.postgres.connection.failure import connection_error, diagnose

# libpq's, in seconds: a server that is gone without a word is noticed within a minute.
CONNECTION_PARAMETERS = {
    # An Aurora that has scaled to zero takes 15 and more to answer: Aurora user guide, "Scaling to
    # Zero ACUs with automatic pause and resume".
    "connect_timeout": "45",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    # In milliseconds; keepalives are not sent while data waits to be acknowledged.
    "tcp_user_timeout": "300000",
}
# A parameter of the connection and not a setting, so that the driver knows of it too.
CLIENT_ENCODING = "UTF8"
SAYS_SO_AFTER = 5.0  # seconds of waiting for a connection
# A rotation changes the password first and the secret some seconds later.
ROTATION = 60.0  # seconds
ROTATION_PAUSE = 2.0  # seconds


# Told which database, "source" or "target", takes long, and in a sentence with what.
type Waiting = Callable[[str, str], None]


def log_waiting(role: str, why: str) -> None:
    """Log that a database takes long."""
    logger.info("waiting for a database", database=role, why=why)


def log_in(
    address: DatabaseAddress, role: str, waiting: Waiting = log_waiting
) -> tuple[extensions.connection, DatabaseAddress]:
    """Return an open connection, and the address that it is to, which may be a newer one.

    Args:
        address: which database.
        role: "source" or "target", for messages.
        waiting: called once if the server takes long to answer.

    Raises:
        ConfigurationError, DatabaseUnavailable: see `connection_error`; where the server refuses
            the user or the password, after `ROTATION` of reading the secret again.
    """
    # libpq reads it and names it when it connects, as JDBC does, so that every pooler knows it.
    # Otherwise the driver runs SET where the role's default is another style.
    os.environ["PGDATESTYLE"] = "ISO"
    why = f"Waiting for the {role} database to answer; it may be waking up."
    slow = threading.Timer(SAYS_SO_AFTER, waiting, [role, why])
    slow.daemon = True
    slow.start()
    try:
        return _log_in(address, role)
    finally:
        slow.cancel()


def _log_in(address: DatabaseAddress, role: str) -> tuple[extensions.connection, DatabaseAddress]:
    give_up = time.monotonic() + ROTATION
    while True:
        parameters = {
            **CONNECTION_PARAMETERS,
            **address.login(),
            "client_encoding": CLIENT_ENCODING,
        }
        dsn = extensions.make_dsn(**parameters)
        try:
            return psycopg2.connect(dsn), address
        except psycopg2.OperationalError as error:
            failure = diagnose(dsn)
            read_again = address.read_again if failure.is_authentication else None
            if read_again is None or time.monotonic() >= give_up:
                raise connection_error(
                    failure,
                    f"the {role} database {address}",
                    by_token=address.make_token is not None,
                ) from error
        logger.info("waiting for a secret that lets us in", database=role)
        time.sleep(ROTATION_PAUSE)
        address = read_again()
