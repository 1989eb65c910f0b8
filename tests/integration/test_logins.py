"""A login that is refused is told by the server's code, whatever its language, and names nobody."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg2
import pytest

from common.errors import ConfigurationError, DatabaseUnavailable, StagingSyncError
from common.postgres.connection.address import DatabaseAddress
from common.postgres.database import connect
from common.postgres.waits import Retry, Waits
from sandbox.postgres import EmbeddedPostgres, temporary_server
from tests.support.databases import system_programs
from tests.support.waiting import wait_until

LOCALES = Path("/usr/share/i18n/locales/de_DE")
MESSAGES = Path("/usr/share/locale/de/LC_MESSAGES")
PASSWORD, USER = "Tr0ub4dor&3", "jane_recognisable"
SETUP = f"""
CREATE ROLE {USER} LOGIN PASSWORD '{PASSWORD}' IN ROLE password_users;
CREATE ROLE limited LOGIN CONNECTION LIMIT 0;
CREATE ROLE refused_by_rule LOGIN;
CREATE ROLE without_login NOLOGIN;
CREATE ROLE without_connect LOGIN;
CREATE DATABASE closed;
REVOKE CONNECT ON DATABASE closed FROM public;
CREATE DATABASE shut ALLOW_CONNECTIONS false;
"""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Who logs in where, and what comes of it."""

    user: str
    error: type[StagingSyncError]
    state: str
    says: str
    dbname: str = "postgres"
    password: str = "not-the-password"


REFUSALS = {
    "a wrong password": Refusal(
        USER, ConfigurationError, "28P01", "Check the username and password"
    ),
    "no password": Refusal(
        USER, ConfigurationError, "28P01", "Check the username and password", password=""
    ),
    "an unknown user": Refusal(
        "nobody_recognisable", ConfigurationError, "28000", "there is no such role"
    ),
    "a role that may not log in": Refusal(
        "without_login", ConfigurationError, "28000", "the role or the server's pg_hba.conf"
    ),
    "a user whom pg_hba.conf refuses": Refusal(
        "refused_by_rule", ConfigurationError, "28000", "and pg_hba.conf"
    ),
    "an unknown database": Refusal(
        "postgres", ConfigurationError, "3D000", "Check dbname", dbname="no_such_database"
    ),
    "a database that takes no connections": Refusal(
        "postgres", ConfigurationError, "55000", "takes no connections", dbname="shut"
    ),
    "a user without CONNECT": Refusal(
        "without_connect", ConfigurationError, "42501", "GRANT CONNECT", dbname="closed"
    ),
    "a role at its limit": Refusal(
        "limited", DatabaseUnavailable, "53300", "limit of connections is reached"
    ),
}


@pytest.fixture(scope="module")
def english() -> Iterator[EmbeddedPostgres]:
    with temporary_server() as server:
        prepare(server)
        yield server


@pytest.fixture(scope="module")
def german() -> Iterator[EmbeddedPostgres]:
    """A server that speaks German, with a locale that is made for it."""
    programs = system_programs()
    localedef = shutil.which("localedef")
    if not (programs and localedef and LOCALES.exists() and list(MESSAGES.glob("postgres-*.mo"))):
        pytest.skip(
            "needs PostgreSQL with its translations, and the sources of the locale de_DE (on"
            " Debian: apt-get install postgresql locales)"
        )
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        Path(folder).chmod(0o755)  # the server may run as another user
        made = [localedef, "-i", "de_DE", "-f", "UTF-8", f"{folder}/de_DE.UTF-8"]
        subprocess.run(made, check=True, capture_output=True)  # noqa: S603  # ours
        patch.setenv("LOCPATH", folder)
        with temporary_server(bin_dir=programs, settings={"lc_messages": "de_DE.UTF-8"}) as server:
            prepare(server)
            yield server


def prepare(server: EmbeddedPostgres) -> None:
    rules = server.socket_dir / "pg_hba.conf"
    rules.write_text("local all refused_by_rule reject\n" + rules.read_text())
    for statement in [*SETUP.split(";\n"), "SELECT pg_reload_conf()"]:
        if statement.strip():
            server.execute("postgres", statement)


@pytest.fixture(params=["english", "german"])
def server(request: pytest.FixtureRequest) -> EmbeddedPostgres:
    asked: EmbeddedPostgres = request.getfixturevalue(request.param)
    return asked


def address(
    server: EmbeddedPostgres, user: str, password: str, dbname: str = "postgres"
) -> DatabaseAddress:
    return DatabaseAddress.of_server(
        host=str(server.socket_dir), port="5432", user=user, password=password, dbname=dbname
    )


def test_the_german_server_speaks_german(german: EmbeddedPostgres) -> None:
    with pytest.raises(psycopg2.OperationalError, match="existiert nicht"):
        psycopg2.connect(german.url("no_such_database"))


@pytest.mark.parametrize("case", REFUSALS.values(), ids=REFUSALS.keys())
def test_a_refused_login_is_named_by_its_code_and_shows_no_user(
    server: EmbeddedPostgres, case: Refusal
) -> None:
    where = address(server, case.user, case.password, case.dbname)

    with pytest.raises(StagingSyncError) as caught:
        connect(where, "target", execution="test")

    said = str(caught.value)
    assert type(caught.value) is case.error
    assert said.startswith(f"Could not log in to the target database {where}. ")
    assert f"SQLSTATE {case.state}" in said
    assert case.says in said
    assert case.user == "postgres" or case.user not in said
    assert "not-the-password" not in said


def test_a_password_that_changed_before_its_secret_is_waited_for(
    english: EmbeddedPostgres,
) -> None:
    asked: list[str] = []

    def read_again() -> DatabaseAddress:
        asked.append("again")
        password = PASSWORD if len(asked) == 3 else "the-old-one"
        return address(english, USER, password).with_secret(read_again)

    waits = Waits(rotation=Retry(60.0, pause=0.0))
    old = address(english, USER, "the-old-one").with_secret(read_again)
    with connect(old, "target", execution="test", waits=waits) as session:
        with session.transaction():
            assert session.row("SELECT 1") == (1,)
        assert session.address == address(english, USER, PASSWORD)
    assert len(asked) == 3


def test_a_password_that_stays_wrong_is_given_up_on(english: EmbeddedPostgres) -> None:
    def read_again() -> DatabaseAddress:
        return address(english, USER, "the-old-one").with_secret(read_again)

    waits = Waits(rotation=Retry(0.2, pause=0.01))
    with pytest.raises(ConfigurationError, match="SQLSTATE 28P01"):
        connect(read_again(), "target", execution="test", waits=waits)


def test_what_a_new_password_does_not_mend_is_not_waited_for(english: EmbeddedPostgres) -> None:
    def read_again() -> DatabaseAddress:
        raise AssertionError

    with pytest.raises(ConfigurationError, match="SQLSTATE 3D000"):
        connect(
            address(english, USER, PASSWORD, "nowhere").with_secret(read_again),
            "target",
            execution="test",
        )


def test_a_server_that_shuts_down_is_unavailable_and_not_misconfigured() -> None:
    with temporary_server() as server:
        # A smart shutdown waits for this connection, and refuses new ones meanwhile.
        held = psycopg2.connect(server.url("postgres"))
        os.kill(server.pid, signal.SIGTERM)
        wait_until(lambda: is_refused(server), "the server refuses logins")

        with pytest.raises(DatabaseUnavailable, match="SQLSTATE 57P03"):
            connect(address(server, "postgres", "x"), "target", execution="test")
    held.close()


def is_refused(server: EmbeddedPostgres) -> bool:
    try:
        psycopg2.connect(server.url("postgres")).close()
    except psycopg2.OperationalError:
        return True
    return False
