"""Masked addresses are told from others, in a column of any collation."""

from collections.abc import Iterator

import pytest
from psycopg2 import sql

from common.emails import find_collation, is_plain, normalized
from common.masking.emails import EmailMask, looks_masked, without_suffix
from common.postgres.database import Session, connect
from tests.support.databases import Databases

DIGEST, TAG, SUFFIX = "0123456789abcdef01234567", "1a2b", "89abcdef"
MASKED = f"{DIGEST}@m{TAG}.invalid"
SUFFIXED = f"{DIGEST}-{SUFFIX}@m{TAG}.invalid"
NONDETERMINISTIC = """
CREATE COLLATION any_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE TABLE users (email text COLLATE any_case)
"""


@pytest.fixture
def session(databases: Databases) -> Iterator[Session]:
    with connect(databases.make().address, "target", execution="test") as session:
        session.begin()
        yield session


@pytest.mark.parametrize(
    ("email", "is_masked", "looks_so"),
    [
        (MASKED, True, True),
        (SUFFIXED, True, True),
        (f"{DIGEST}@mffff.invalid", False, True),
        (f"{DIGEST[:12]}@m{TAG}.invalid", False, True),
        (f"{DIGEST}-{SUFFIX}0@m{TAG}.invalid", False, True),
        (f"{DIGEST}0{SUFFIX}@m{TAG}.invalid", False, True),
        (f"{DIGEST[:15]}-{SUFFIX}@m{TAG}.invalid", False, True),
        (f"{DIGEST[:23]}g@m{TAG}.invalid", False, False),
        (f"{DIGEST[:23]}\n@m{TAG}.invalid", False, False),
        (f"-{SUFFIX}{DIGEST}@m{TAG}.invalid", False, False),
        (f"{MASKED}\n", False, False),
        (f"x {MASKED}", False, False),
        (f"{DIGEST}@m{TAG}-invalid", False, False),
        (f"{DIGEST}@m{TAG}0.invalid", False, False),
        ("ana@team.example", True, False),
        ("ana@x.org", False, False),
        ("", False, False),
    ],
)
def test_only_what_the_mask_makes_is_masked(
    session: Session, email: str, *, is_masked: bool, looks_so: bool
) -> None:
    value = sql.Literal(email)
    mask = EmailMask(("team.example",))

    query = sql.SQL("SELECT {}, {}").format(
        mask.is_masked(value, TAG, len(DIGEST)), looks_masked(value)
    )

    assert session.row(query) == (is_masked, looks_so)


def test_a_column_whose_collation_is_not_deterministic_is_read_too(
    system_databases: Databases,
) -> None:
    database = system_databases.make(
        NONDETERMINISTIC, f"INSERT INTO users VALUES ('{SUFFIXED}'), ('Ana@Team.example')"
    )
    email = sql.Identifier("users", "email")
    is_masked = EmailMask(("team.example",)).is_masked(email, TAG, len(DIGEST))
    query = sql.SQL("SELECT {}, {}, {} FROM users").format(
        is_masked, looks_masked(email), without_suffix(email)
    )

    with connect(database.address, "target", execution="test") as session:
        session.begin()
        session.execute("SET LOCAL search_path TO DEFAULT")
        rows = session.rows(query)

    assert rows == [(True, True, MASKED), (True, False, "Ana@Team.example")]


@pytest.mark.parametrize(
    ("email", "expected"),
    [
        ("ana@x.org", True),
        ("~!#$%&'*+-/=?^_`{|}0@x.org", True),
        ("a", True),
        ("ana maria@x.org", True),
        ("Ana@x.org", False),
        ("ana@x.orG", False),
        *((f"{blank}ana@x.org", False) for blank in " \t\n\r\f\v\u00a0"),
        *((f"ana@x.org{blank}", False) for blank in " \t\n\r\f\v\u00a0"),
        ("aná@x.org", False),
        ("\u0130@x.org", False),
        ("\ufdd0@x.org", False),
        (" ", False),
        ("", False),
    ],
)
def test_a_plain_address_is_compared_as_it_is(
    session: Session, email: str, *, expected: bool
) -> None:
    value = sql.Literal(email)
    text = sql.SQL("{}::text").format(value)
    query = sql.SQL("SELECT {}, {}").format(
        is_plain(text), normalized(value, find_collation(session))
    )

    found, compared = session.row(query)

    assert found == expected
    assert not found or compared == email
