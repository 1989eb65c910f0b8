"""Addresses in lower case: no letter beyond ASCII becomes one of ASCII, on any server."""

from collections.abc import Iterator

import pytest
from psycopg2 import sql

from common.emails import find_collation, normalized
from common.postgres.database import Session, connect
from sandbox.database import Database
from tests.support.databases import Databases

# Surrogates are no characters; NUL cannot be stored.
LETTERS = sql.SQL(
    "SELECT chr(code) AS letter FROM generate_series(1, 1114111) AS codes (code)"
    " WHERE code NOT BETWEEN 55296 AND 57343"
)


@pytest.fixture(params=["databases", "system_databases"])
def session(request: pytest.FixtureRequest) -> Iterator[Session]:
    """A session on the wheel's server, whose provider is builtin, and on Debian's, with ICU."""
    databases: Databases = request.getfixturevalue(request.param)
    with connect(databases.make().address, "target", execution="test") as session:
        session.begin()
        yield session


def turned(session: Session, collation: str) -> list[str]:
    """Return the letters beyond ASCII that come out with one of ASCII in them."""
    query = sql.SQL("SELECT letter FROM ({}) AS all_of_them WHERE letter ~ {} AND {} ~ {}").format(
        LETTERS,
        sql.Literal("[^\\x01-\\x7f]"),
        normalized(sql.Identifier("letter"), collation),
        sql.Literal("[\\x21-\\x7f]"),
    )
    return [letter for (letter,) in session.rows(query)]


def collations(session: Session) -> list[str]:
    """Return every one that `find_collation` may choose, and a Turkish database's own."""
    names = ("default", "pg_c_utf8", "und-x-icu", "tr_TR.utf8")
    rows = session.rows(
        "SELECT DISTINCT collname FROM pg_collation"
        " WHERE collnamespace = 'pg_catalog'::regnamespace AND collname = ANY (%s)",
        [list(names)],
    )
    return [name for (name,) in rows]


def test_no_letter_beyond_ascii_becomes_one_of_ascii(session: Session) -> None:
    for collation in collations(session):
        assert turned(session, collation) == [], collation


@pytest.mark.parametrize(
    ("email", "lowered"),
    [
        ("PAVEL@Bookshop.Example", "pavel@bookshop.example"),
        ("IVAN@X.ORG", "ivan@x.org"),
        ("  ÉLODIE@X.ORG\u00a0\r\n", "élodie@x.org"),
        ("ŁUCJA@X.ORG", "łucja@x.org"),
        ("pavel@boo\u212ashop.example", "pavel@boo\u212ashop.example"),
        ("\u0130VAN@X.ORG", "\u0130van@x.org"),
    ],
)
def test_the_rest_is_lowered(session: Session, email: str, lowered: str) -> None:
    query = sql.SQL("SELECT {}").format(normalized(sql.Literal(email), find_collation(session)))
    assert session.row(query) == (lowered,)


@pytest.mark.parametrize("encoding", ["LATIN1", "LATIN5", "WIN1252", "EUC_JP", "SQL_ASCII"])
def test_another_encoding_lowers_ascii_alone(databases: Databases, encoding: str) -> None:
    like = databases.make()
    name = f"{like.name}_{encoding.lower()}"
    like.server.execute(
        "postgres", f"CREATE DATABASE {name} TEMPLATE template0 ENCODING '{encoding}' LOCALE 'C'"
    )
    try:
        with connect(Database(like.server, name).address, "target", execution="test") as session:
            session.begin()
            collation = find_collation(session)
            query = sql.SQL("SELECT {}").format(normalized(sql.Literal(" Ana@X.Org "), collation))
            assert (collation, session.row(query)) == ("C", ("ana@x.org",))
    finally:
        like.server.execute("postgres", f"DROP DATABASE {name} WITH (FORCE)")
