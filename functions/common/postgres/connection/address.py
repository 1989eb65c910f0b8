"""A database's address, whose form is checked before any part of it is shown or used."""

import dataclasses
import ipaddress
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import unquote

import psycopg2
from psycopg2 import extensions

from common.errors import ConfigurationError

HOST_NAME = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]{0,252})")
DIRECTORY = re.compile(r"/[^@=?\s\x00]*")  # of a Unix socket
HOST_AND_PORT = re.compile(r"[A-Za-z0-9_.-]+:\d+")
CONNECTION_STRING = re.compile(r"://|[=@\x00\ud800-\udfff]")
MAX_PORT = 65535
# What libpq uses for a missing parameter.
DEFAULT_HOST, DEFAULT_PORT = "localhost", "5432"

MALFORMED_URL = (
    "The connection URL is malformed. Write it as postgresql://user:password@host:port/dbname, and"
    " special characters of the password as %2F and the like."
)

type ReadAgain = Callable[[], DatabaseAddress]
type MakeToken = Callable[[], str]


@dataclass(frozen=True, slots=True)
class DatabaseAddress:
    """Where a database is and how to log in; its text is host:port/dbname only.

    `parameters` are libpq's connection parameters. `read_again`, if any, returns the current
    address: the secret may have a new password by now. `make_token`, if any, makes a password for
    one connection.
    """

    parameters: Mapping[str, str] = field(repr=False)
    read_again: ReadAgain | None = field(default=None, repr=False, compare=False)
    make_token: MakeToken | None = field(default=None, repr=False, compare=False)

    @classmethod
    def of_server(  # noqa: PLR0913 - what a secret holds, all of it by keyword
        cls, *, host: str, port: str, user: str, password: str, dbname: str, ca_bundle: str = ""
    ) -> Self:
        """Return the address of a database; `malformed` says whether it may be shown.

        Args:
            host: the server's name, which must be in its certificate, or a Unix socket's directory.
            port: the server's port.
            user: the role that logs in.
            password: its password.
            dbname: the database's name.
            ca_bundle: the path of a PEM file: the server's certificate must be signed by one in
                it. Without it the connection is encrypted, but the server is not authenticated.
        """
        server = {"host": host, "port": port, "user": user, "password": password, "dbname": dbname}
        return cls(server | _encryption(host, ca_bundle))

    @classmethod
    def of_url(cls, url: str) -> Self:
        """Return the address in a connection URL or libpq connection string.

        Its sslmode applies, or else PGSSLMODE. If neither is set, a connection to another machine
        must be encrypted: libpq's default would go on without encryption if the server has none.

        Raises:
            ConfigurationError: it is malformed; the message does not repeat it, since it may
                contain a password.
        """
        try:
            parameters = extensions.parse_dsn(url)
        except psycopg2.ProgrammingError:
            raise ConfigurationError(MALFORMED_URL) from None
        of = parameters.get
        hosts, addresses = (
            [host for host in of(name, "").split(",") if host] for name in ("host", "hostaddr")
        )
        ports = [port or DEFAULT_PORT for port in of("port", "").split(",")]
        # A password that is not percent-encoded would end up in the parts that are shown.
        if not all(map(_is_address, addresses)) or any(
            malformed(host, port, of("dbname", ""))
            for host in hosts or [DEFAULT_HOST]
            for port in ports
        ):
            raise ConfigurationError(MALFORMED_URL)
        servers = [host for host in hosts + addresses if not host.startswith("/")]
        if not servers or "sslmode" in parameters or "PGSSLMODE" in os.environ:
            return cls(parameters)
        mode = "require" if any(map(_is_elsewhere, servers)) else "prefer"
        return cls(parameters | {"sslmode": mode})

    def with_secret(self, read_again: ReadAgain) -> "DatabaseAddress":
        """Return this address with a function that reads its secret again."""
        return dataclasses.replace(self, read_again=read_again)

    def with_tokens(self, make_token: MakeToken) -> "DatabaseAddress":
        """Return this address with a function that makes a password for each connection."""
        return dataclasses.replace(self, make_token=make_token)

    def login(self) -> Mapping[str, str]:
        """Return libpq's parameters for one connection."""
        if self.make_token is None:
            return self.parameters
        return {**self.parameters, "password": self.make_token()}

    def __str__(self) -> str:
        """Return host:port/dbname, for messages; libpq's default dbname is the user's name."""
        of = self.parameters.get
        return f"{of('host', DEFAULT_HOST)}:{of('port', DEFAULT_PORT)}/{of('dbname', '')}"


def malformed(host: str, port: str, dbname: str) -> list[str]:
    """Return a sentence for each part that is malformed, without its value.

    By mistake, any of them may be a complete connection string with its password.
    """
    faults: list[str] = []
    if HOST_AND_PORT.fullmatch(host):
        faults.append("host has the port in it, which is a field of its own")
    elif not _is_host(host):
        faults.append("host must be a host's name, an IP address or a directory, and nothing more")
    if not (port.isascii() and port.isdecimal() and 0 < int(port) <= MAX_PORT):
        faults.append("port must be a number between 1 and 65535")
    if CONNECTION_STRING.search(unquote(dbname)):
        faults.append("dbname must be a database's name, and no URL or connection string")
    return faults


def _is_host(host: str) -> bool:
    return bool(HOST_NAME.fullmatch(host) or DIRECTORY.fullmatch(host)) or _is_address(host)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _is_elsewhere(host: str) -> bool:
    """Return whether a host is another machine."""
    try:
        return not ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host != DEFAULT_HOST


def _encryption(host: str, ca_bundle: str) -> dict[str, str]:
    """Return the parameters for encryption: none for a Unix socket, which is on this machine."""
    if host.startswith("/"):
        return {"sslmode": "disable"}
    if ca_bundle:
        return {"sslmode": "verify-full", "sslrootcert": ca_bundle}
    return {"sslmode": "require"}
