"""Logging in to a server, even while its secret is being rotated."""

import os

import psycopg2
from psycopg2 import extensions

from common.log import logger
from common.postgres.connection.address import DatabaseAddress
from common.postgres.connection.failure import connection_error, diagnose
from common.postgres.waits import Retry, Waits, if_longer_than

# libpq's, in seconds: a server that vanishes is noticed within a minute.
CONNECTION_PARAMETERS = {
    # An Aurora that has scaled to zero takes 15 s and more to answer: Aurora user guide, "Scaling
    # to Zero ACUs with automatic pause and resume".
    "connect_timeout": "45",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    # In milliseconds; no keepalives are sent while data is unacknowledged.
    "tcp_user_timeout": "300000",
}
# A connection parameter and not a setting, so that the driver knows it too.
CLIENT_ENCODING = "UTF8"


def log_in(
    address: DatabaseAddress, role: str, waits: Waits
) -> tuple[extensions.connection, DatabaseAddress]:
    """Return an open connection, and its address, which may have a newer password.

    Args:
        address: the database.
        role: "source" or "target", for messages.
        waits: how long the secret is read again, and how a long wait is reported.

    Raises:
        ConfigurationError, DatabaseUnavailable: see `connection_error`; if the server refuses the
            user or the password, after the secret was read again for `waits.rotation`.
    """
    # libpq sends it when it connects, as JDBC does, so that every pooler knows it. Otherwise the
    # driver would run SET if the role's default is another style.
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
