"""A database's URL: a malformed one is not shown, and how the connection is encrypted."""

import pytest

from common.errors import ConfigurationError
from common.postgres.connection.address import DatabaseAddress


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://jane:hunter2@[bad/x",
        # libpq reads a password with "/" or "@" in part as host, port or dbname.
        "postgresql://jane:hunter2/x@db.test/shop",
        "postgresql://jane:x/hunter2@db.test/shop",
        "postgresql://jane:x@hunter2@db.test/shop",
        "postgresql://db.test/postgresql%3A%2F%2Fjane:hunter2",
        "host=jane:hunter2@db.test dbname=shop",
        "hostaddr=hunter2 dbname=shop",
        "host=db.test port=hunter2",
        "host=db.test,jane:hunter2@db2.test",
        "jane:hunter2@db.test/shop",
    ],
)
def test_a_malformed_url_is_refused_and_nothing_of_it_is_shown(url: str) -> None:
    with pytest.raises(ConfigurationError, match="The connection URL is malformed") as caught:
        DatabaseAddress.of_url(url)

    assert not {word for word in ("hunter2", "jane", "db.test") if word in str(caught.value)}


def test_a_user_is_not_shown_where_the_url_names_no_database() -> None:
    assert str(DatabaseAddress.of_url("postgresql://jane@db.test")) == "db.test:5432/"


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "[::1]", "localhost"])
def test_on_the_loopback_encryption_is_optional(host: str) -> None:
    assert DatabaseAddress.of_url(f"postgresql://{host}/shop").parameters["sslmode"] == "prefer"


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://db.test/shop",
        "postgresql://localhost.db.test/shop",
        "postgresql://[::2]/shop",
        "postgresql://localhost,db.test/shop",
        "hostaddr=10.0.0.7 dbname=shop",
        "host=localhost hostaddr=10.0.0.7",
    ],
)
def test_on_any_other_host_encryption_is_required(url: str) -> None:
    assert DatabaseAddress.of_url(url).parameters["sslmode"] == "require"


def test_the_environments_sslmode_takes_precedence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGSSLMODE", "verify-full")

    assert "sslmode" not in DatabaseAddress.of_url("postgresql://db.test/shop").parameters
