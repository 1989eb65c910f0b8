"""UpdateDb: databases whose rules for letters, or whose encodings, are others."""

import contextlib
from collections.abc import Callable, Iterator

import pytest

from sandbox.database import Database
from tests.integration.update_db.conftest import MakeStaging
from tests.integration.update_db.remapping import USERS, PoolUser, Staging
from tests.support.databases import Databases

type MakeEncoded = Callable[[str, str], Staging]


@pytest.fixture
def make_encoded(
    make_staging: MakeStaging, databases: Databases, use_database: Callable[[Database], None]
) -> Iterator[MakeEncoded]:
    """Make a staging database of an encoding, with one person of that email.

    Its own rules for letters are those of the locale C, which knows ASCII only.
    """
    with contextlib.ExitStack() as dropping:

        def make(encoding: str, email: str) -> Staging:
            made, like = make_staging(), databases.make()
            server, name = like.server, f"{like.name}_c"
            server.execute(
                "postgres",
                f"CREATE DATABASE {name} TEMPLATE template0 ENCODING '{encoding}' LOCALE 'C'",
            )
            dropping.callback(server.execute, "postgres", f"DROP DATABASE {name} WITH (FORCE)")
            database = Database(server, name)
            database.execute(f"{USERS}; INSERT INTO users VALUES (1, '{email}', 'p-1')")
            database.mark()
            use_database(database)
            return Staging(database, made.s3, made.exchange)

        yield make


def test_the_databases_own_rules_for_letters_do_not_matter(make_encoded: MakeEncoded) -> None:
    staging = make_encoded("UTF8", "ÉLODIE@EXAMPLE.COM")
    assert staging.database.value("SELECT lower('É')") == "É", "its own rules know ASCII only"

    result = staging.remap(PoolUser("élodie@example.com", "s-1"))

    assert staging.subs() == {1: "s-1"}
    assert result.counts == {"updated": 1}


@pytest.mark.parametrize(
    ("encoding", "email"),
    [
        ("LATIN1", "björn@example.com"),
        ("WIN1250", "łucja@example.com"),
        ("SQL_ASCII", "ana@example.com"),
    ],
)
def test_a_database_of_another_encoding_is_remapped_too(
    make_encoded: MakeEncoded, encoding: str, email: str
) -> None:
    staging = make_encoded(encoding, email)

    result = staging.remap(PoolUser(email, "s-1"))

    assert staging.subs() == {1: "s-1"}
    assert result.line_of(email).status == "updated"


def test_a_person_whom_the_databases_encoding_cannot_name_blocks_nobody_else(
    make_encoded: MakeEncoded,
) -> None:
    staging = make_encoded("LATIN1", "ana@example.com")

    result = staging.remap(
        PoolUser("ana@example.com", "s-1"), PoolUser("łucja@example.com", "s-2", username="łucja")
    )

    assert staging.subs() == {1: "s-1"}
    assert result.counts == {"updated": 1, "skipped_no_db_user": 1}
    assert "1 users of the pool were skipped: the database's encoding, LATIN1, lacks" in (
        result.warnings
    )
    assert "ucja" not in result.warnings


def test_bytes_that_are_no_text_at_all_block_nobody_else(make_encoded: MakeEncoded) -> None:
    staging = make_encoded("SQL_ASCII", "ana@example.com")
    staging.database.execute(
        "INSERT INTO users VALUES (2, convert_from('\\xff40782e6f7267', 'SQL_ASCII'), 'p-2')"
    )

    result = staging.remap_bytes(PoolUser("ana@example.com", "s-1"))

    assert staging.subs() == {1: "s-1", 2: "p-2"}
    assert (result["updated"], result["skipped_no_cognito_user"]) == (1, 1)
