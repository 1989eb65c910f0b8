"""How a connection is encrypted, by libpq's parameters, and which servers it trusts."""

import pytest

from common.errors import ConfigurationError, DatabaseUnavailable
from common.postgres.connection.address import DatabaseAddress
from common.postgres.connection.failure import ConnectionFailure, connection_error

SERVER = {"port": "5432", "user": "sync", "password": "secret", "dbname": "shop"}
BUNDLE = "/opt/database-ca.pem"


@pytest.mark.parametrize(
    ("host", "ca_bundle", "expected"),
    [
        ("db.test", "", {"sslmode": "require"}),
        ("db.test", BUNDLE, {"sslmode": "verify-full", "sslrootcert": BUNDLE}),
        ("/var/run/postgresql", "", {"sslmode": "disable"}),
        ("/var/run/postgresql", BUNDLE, {"sslmode": "disable"}),
    ],
)
def test_a_server_is_encrypted_and_with_certificates_verified_and_a_socket_is_neither(
    host: str, ca_bundle: str, expected: dict[str, str]
) -> None:
    address = DatabaseAddress.of_server(host=host, ca_bundle=ca_bundle, **SERVER)
    assert address.parameters == {"host": host, **SERVER, **expected}


@pytest.mark.parametrize(
    ("url", "mode"),
    [
        ("postgresql://sync@db.test/shop", "require"),
        ("postgresql://sync@db.test/shop?sslmode=verify-full", "verify-full"),
        ("postgresql://sync@localhost/shop?sslmode=disable", "disable"),
        ("postgresql://sync@/shop?host=/var/run/postgresql", None),
        ("postgresql:///shop", None),
    ],
)
def test_a_url_is_encrypted_unless_it_says_otherwise_or_names_a_socket(
    url: str, mode: str | None
) -> None:
    assert DatabaseAddress.of_url(url).parameters.get("sslmode") == mode


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("SSL error: certificate verify failed", ConfigurationError),
        ("SSL error: tlsv1 alert unknown ca", ConfigurationError),
        ('root certificate file "/x.pem" does not exist', ConfigurationError),
        ("SSL error: unexpected eof while reading", DatabaseUnavailable),
        ("SSL SYSCALL error: EOF detected", DatabaseUnavailable),
    ],
)
def test_a_server_that_is_not_trusted_is_distinguished_from_a_connection_that_was_cut(
    said: str, expected: type[Exception]
) -> None:
    error = connection_error(ConnectionFailure(None, said), "the source database db.test")
    assert type(error) is expected
    assert said in str(error)
