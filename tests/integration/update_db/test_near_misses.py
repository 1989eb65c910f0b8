"""UpdateDb: addresses that look alike match nobody, and are told."""

import unicodedata

import pytest

from tests.integration.update_db.conftest import MakeStaging
from tests.integration.update_db.remapping import PoolUser, Staging
from update_db.near_misses import look_of

VERA = PoolUser("vera@x.org", "s-vera")
NFC = unicodedata.normalize("NFC", "é")
NFD = unicodedata.normalize("NFD", "é")


def staging_with(make_staging: MakeStaging, email: str) -> Staging:
    staging = make_staging()
    with staging.database.connect() as connection, connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO users VALUES (1, %s, 'p-1'), (2, 'vera@x.org', 's-vera')", [email]
        )
    connection.close()
    return staging


@pytest.mark.parametrize(
    ("row", "pool"),
    [
        ("pavel@bookshop.example", "pavel@boo\u212ashop.example"),
        ("ivan@x.org", "\u0130van@x.org"),
        ("ana@x.org", "ana\u200b@x.org"),
        ("ana@x.org", "\ufeffana@x.org"),
        ("ana@x.org", "ana@x.org\u200f"),
        ("ana@x.org", "\u202fana@x.org"),
        ("ana\u3000@x.org", "ana@x.org"),
        ("ana@x.org\u2060", "ana\u00ad@x.org"),
        (f"ren{NFC}e@x.org", f"ren{NFD}e@x.org"),
        ("ana@bücher.example", "ana@xn--bcher-kva.example"),
        ("ana@XN--BCHER-KVA.example", "ana@BÜCHER.example"),
        ("ana@x.org", "\uff41\uff4e\uff41@x.org"),
    ],
)
def test_a_near_miss_matches_nobody_and_is_told(
    make_staging: MakeStaging, row: str, pool: str
) -> None:
    staging = staging_with(make_staging, row)

    result = staging.remap(VERA, PoolUser(pool, "s-other"))

    assert staging.subs() == {1: "p-1", 2: "s-vera"}
    assert result.counts == {"unchanged": 1, "skipped_no_cognito_user": 1, "skipped_no_db_user": 1}
    assert "1 near misses" in result.warnings
    assert "x.org" not in result.warnings
    reasons = {line.status: line.reason for line in result.lines}
    assert "near miss: the pool has an email that looks like it" in reasons["no_cognito_user"]
    assert "near miss: a row has an email that looks like it" in reasons["no_db_user"]


def test_the_owner_of_a_look_alike_takes_nothing_from_who_has_the_address(
    make_staging: MakeStaging,
) -> None:
    staging = staging_with(make_staging, "pavel@bookshop.example")

    result = staging.remap(
        PoolUser("pavel@boo\u212ashop.example", "s-thief"),
        PoolUser("pavel@bookshop.example", "s-1"),
    )

    assert staging.subs()[1] == "s-1"
    assert result.counts["updated"] == 1
    assert "skipped_ambiguous" not in result.counts
    assert "near misses" not in result.warnings


@pytest.mark.parametrize(
    ("row", "pool"),
    [
        ("pavel@boo\u212ashop.example", "pavel@boo\ufdd1shop.example"),
        ("\u0130van@x.org", "\ufdd0van@x.org"),
    ],
)
def test_a_letter_that_is_held_back_is_not_what_holds_it(
    make_staging: MakeStaging, row: str, pool: str
) -> None:
    staging = staging_with(make_staging, row)

    result = staging.remap(VERA, PoolUser(pool, "s-other"))

    assert staging.subs()[1] == "p-1"
    assert "updated" not in result.counts


@pytest.mark.parametrize(
    ("row", "pool"),
    [
        ("ana@x.org", "anna@x.org"),
        ("ana@xn--bcher-kva.example", "ana@books.example"),
        ("ana@xn--€.example", "ana@x.org"),
        ("élodie@x.org", "elodie@x.org"),
        ("", "\u200b"),
    ],
)
def test_other_addresses_are_no_near_misses(make_staging: MakeStaging, row: str, pool: str) -> None:
    result = staging_with(make_staging, row).remap(VERA, PoolUser(pool, "s-other"))

    assert "near misses" not in result.warnings


def test_what_an_address_looks_like_is_the_same_for_itself_in_small_letters() -> None:
    for code in range(1, 0x3000):
        letter = f"a{chr(code)}@x.org"
        assert look_of(letter.lower()) == look_of(letter), hex(code)
