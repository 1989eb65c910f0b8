"""Connections to the databases are encrypted, and with certificates configured they are trusted."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import boto3
import psycopg2
import pytest
import trustme

from common.aws.secrets import parse_database_secret
from common.errors import ConfigurationError
from common.postgres.connection.address import DatabaseAddress
from common.postgres.database import Session, connect
from db_sync.handler import handler as db_sync
from sandbox.cloud import free_port
from sandbox.database import Database
from sandbox.postgres import SYSTEM_USER, EmbeddedPostgres, temporary_server
from tests.integration.db_sync.syncing import assert_same
from tests.support.bucket import BUCKET, REGION
from tests.support.databases import Databases, Pair, system_programs
from tests.support.lambda_context import FakeContext
from tests.support.waiting import wait_until

ARN = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:shop/production-AbCdEf"
HOST = "localhost"  # what the server's certificate bears
NO_TLS = (
    "needs a PostgreSQL server with TLS, which the wheel's lacks: install your system's (on Debian:"
    " apt-get install postgresql)"
)
IS_ENCRYPTED = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"


@dataclass(frozen=True, slots=True)
class TlsServer:
    """A PostgreSQL server that takes TLS, on a port of 127.0.0.1."""

    server: EmbeddedPostgres
    databases: Databases
    port: int
    authority: Path  # who signed its certificate

    def secret(self, database: str = "postgres", host: str = HOST) -> str:
        """Return the text of a secret of the RDS shape."""
        fields = {
            "host": host,
            "port": self.port,
            "username": "postgres",
            "password": "not-needed",
            "dbname": database,
        }
        return json.dumps(fields)


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TlsServer]:
    programs = system_programs()
    if programs is None:
        pytest.skip(NO_TLS)
    port = free_port()
    settings = {"listen_addresses": "127.0.0.1", "port": str(port)}
    authority = shop_authority()
    with temporary_server(bin_dir=programs, settings=settings) as server:
        try:
            set_certificate(server, authority)
        except psycopg2.errors.InvalidParameterValue:  # it was built without
            pytest.skip(NO_TLS)
        file = tmp_path_factory.mktemp("authority") / "ca.pem"
        yield TlsServer(server, Databases(server), port, write_certificate(authority, file))


def shop_authority() -> trustme.CA:
    """Return a new authority: each has the same name, and a key of its own."""
    return trustme.CA(organization_name="The shop", organization_unit_name="The shop's authority")


def write_certificate(authority: trustme.CA, file: Path) -> Path:
    """Write an authority's own certificate, which clients trust; return the file."""
    authority.cert_pem.write_to_path(file)
    return file


def set_certificate(server: EmbeddedPostgres, authority: trustme.CA) -> None:
    """Give the server a certificate that the authority has signed, and switch TLS on."""
    issued = authority.issue_cert(HOST)
    certificate, key = issued.cert_chain_pems[0], issued.private_key_pem
    for name, content in (("server.crt", certificate), ("server.key", key)):
        file = server.socket_dir / name
        content.write_to_path(file)
        file.chmod(0o600)
        if file.owner() == "root":  # then the server runs as another user
            shutil.chown(file, SYSTEM_USER)
    switch_tls(server, "on")


def switch_tls(server: EmbeddedPostgres, state: str) -> None:
    """Switch TLS on or off, and wait until the server has heard of it."""
    for statement in (f"ALTER SYSTEM SET ssl = {state}", "SELECT pg_reload_conf()"):
        server.execute("postgres", statement)
    database = Database(server, "postgres")
    wait_until(lambda: database.value("SHOW ssl") == state, f"TLS is {state}")


@pytest.fixture
def another_authority(tmp_path: Path) -> Path:
    return write_certificate(trustme.CA(), tmp_path / "another.pem")


def opened(secret: str, ca_bundle: Path | None = None) -> Session:
    address = parse_database_secret(ARN, secret, str(ca_bundle or ""))
    return connect(address, "source", execution="run-1")


def is_encrypted(url: str) -> bool:
    with (
        connect(DatabaseAddress.of_url(url), "source", execution="run-1") as session,
        session.transaction(),
    ):
        return bool(session.row(IS_ENCRYPTED)[0])


def refusal(secret: str, ca_bundle: Path | None = None) -> str:
    """Return what the error says, whose class no state tries again."""
    with pytest.raises(ConfigurationError) as caught:
        opened(secret, ca_bundle)
    assert "not-needed" not in str(caught.value)
    return str(caught.value)


def test_without_certificates_the_connection_is_encrypted(tls: TlsServer) -> None:
    with opened(tls.secret()) as session, session.transaction():
        assert session.row(IS_ENCRYPTED) == (True,)


def test_with_the_right_authority_it_connects(tls: TlsServer) -> None:
    with opened(tls.secret(), tls.authority) as session, session.transaction():
        assert session.row(IS_ENCRYPTED) == (True,)


def test_a_bundle_of_several_authorities_will_do(
    tls: TlsServer, another_authority: Path, tmp_path: Path
) -> None:
    bundle = tmp_path / "bundle.pem"
    bundle.write_text(another_authority.read_text() + tls.authority.read_text())
    with opened(tls.secret(), bundle) as session, session.transaction():
        assert session.row(IS_ENCRYPTED) == (True,)


def test_with_another_authority_it_does_not_connect(
    tls: TlsServer, another_authority: Path
) -> None:
    said = refusal(tls.secret(), another_authority)
    assert said.startswith(f"Could not trust the source database {HOST}:{tls.port}/postgres: ")
    assert "certificate verify failed" in said
    assert "`make ca-bundle` fetches Amazon's" in said


def test_with_another_authority_of_the_same_name_it_does_not_connect_either(
    tls: TlsServer, tmp_path: Path
) -> None:
    impostor = write_certificate(shop_authority(), tmp_path / "impostor.pem")
    said = refusal(tls.secret(), impostor)
    assert "SSL error: " in said
    assert said.startswith("Could not trust the source database")


def test_under_another_host_name_it_does_not_connect(tls: TlsServer) -> None:
    said = refusal(tls.secret(host="127.0.0.1"), tls.authority)
    assert 'server certificate for "localhost"' in said
    assert 'does not match host name "127.0.0.1"' in said
    assert "contain the host name in the secret" in said


def test_a_bundle_that_is_not_there_is_named(tls: TlsServer, tmp_path: Path) -> None:
    said = refusal(tls.secret(), tmp_path / "none.pem")
    assert f'root certificate file "{tmp_path}/none.pem" does not exist' in said


@pytest.mark.parametrize("ca_bundle", [False, True], ids=["without", "with certificates"])
def test_a_server_without_tls_is_refused(tls: TlsServer, *, ca_bundle: bool) -> None:
    switch_tls(tls.server, "off")
    try:
        said = refusal(tls.secret(), tls.authority if ca_bundle else None)
    finally:
        switch_tls(tls.server, "on")
    assert "server does not support SSL" in said
    assert "The server must use TLS" in said


def test_a_url_that_says_nothing_about_encryption_asks_for_it(tls: TlsServer) -> None:
    url = f"postgresql://postgres@db.test:{tls.port}/postgres?hostaddr=127.0.0.1"
    assert DatabaseAddress.of_url(url).parameters["sslmode"] == "require"
    assert is_encrypted(url)


def test_on_the_loopback_a_url_is_encrypted_where_the_server_can_and_works_where_it_cannot(
    tls: TlsServer,
) -> None:
    url = f"postgresql://postgres@127.0.0.1:{tls.port}/postgres"
    assert is_encrypted(url)
    switch_tls(tls.server, "off")
    try:
        assert not is_encrypted(url)
    finally:
        switch_tls(tls.server, "on")


def test_what_a_url_says_about_encryption_holds(tls: TlsServer) -> None:
    url = f"postgresql://postgres@{HOST}:{tls.port}/postgres?sslmode=disable"
    assert not is_encrypted(url)


@pytest.fixture
def pair(tls: TlsServer) -> Iterator[Pair]:
    schema = "CREATE TABLE users (id int PRIMARY KEY, email text)"
    yield tls.databases.pair(schema, source="INSERT INTO users VALUES (1, 'ana@example.com')")
    tls.databases.drop_all()


@pytest.fixture
def lambda_environment(tls: TlsServer, pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the Lambda is told, with secrets that lead over TLS."""
    client = boto3.client("secretsmanager", REGION)
    for variable, database in (
        ("PROD_SECRET_ARN", pair.source),
        ("STAGING_SECRET_ARN", pair.target),
    ):
        text = tls.secret(database.name)
        arn = client.create_secret(Name=variable, SecretString=text)["ARN"]
        monkeypatch.setenv(variable, arn)
    monkeypatch.setenv("EXCHANGE_BUCKET", BUCKET)


@pytest.mark.usefixtures("s3", "lambda_environment")
def test_a_whole_sync_runs_between_databases_that_are_trusted(
    tls: TlsServer, pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_CA_BUNDLE", str(tls.authority))
    output = db_sync({"execution": "run-1", "input": {}}, FakeContext())
    assert output["status"] == "synced"
    assert_same(pair)


@pytest.mark.usefixtures("s3", "lambda_environment")
def test_the_lambda_does_not_talk_to_an_impostor(
    pair: Pair, another_authority: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_CA_BUNDLE", str(another_authority))
    with pytest.raises(ConfigurationError, match="Could not trust the source database"):
        db_sync({"execution": "run-1", "input": {}}, FakeContext())
    assert pair.target.value("SELECT count(*) FROM users") == 0
