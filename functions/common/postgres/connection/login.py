"""Logging in to a server, with a secret that may be about to change."""

import os

import psycopg2
from psycopg2 import extensions

from common.log import logger
from common.postgres.connection.address import DatabaseAddress
from common.postgres.connection.failure import connection_error, diagnose
from common.postgres.waits import Retry, Waits, if_longer_than

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


def log_in(
    address: DatabaseAddress, role: str, waits: Waits
) -> tuple[extensions.connection, DatabaseAddress]:
    """Return an open connection, and the address that it is to, which may be a newer one.

    Args:
        address: which database.
        role: "source" or "target", for messages.
        waits: for how long a secret is read again, and how a long wait is reported.

    Raises:
        ConfigurationError, DatabaseUnavailable: see `connection_error`; where the server refuses
            the user or the password, after `waits.rotation` of reading the secret again.
    """
    # libpq reads it and names it when it connects, as JDBC does, so that every pooler knows it.
    # Otherwise the driver runs SET where the role's default is another style.
    os.environ["PGDATESTYLE"] = "ISO"
    why = f"Waiting for the {role} database to answer; it may be waking up."
    with if_longer_than(waits.login_notice, lambda: waits.report(role, why)):
        return _log_in(address, role, waits.rotation)


def _log_in(
    address: DatabaseAddress, role: str, rotation: Retry
) -> tuple[extensions.connection, DatabaseAddress]:
    timeout = rotation.start()
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
            if read_again is None or timeout.is_over:
                raise connection_error(
                    failure,
                    f"the {role} database {address}",
                    by_token=address.make_token is not None,
                ) from error
        logger.info("waiting for a secret that lets us in", database=role)
        timeout.pause()
        address = read_again()
