"""What belongs to people by their sub alone is theirs after every night, in the sandbox."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from sandbox.account import StagingAccount
from sandbox.bookshop.comparison import contents
from sandbox.bookshop.databases import BOOKSHOP
from sandbox.bookshop.followers import wishlist_by_email, wishlist_of
from sandbox.bookshop.people import PEOPLE, Outcome
from sandbox.database import Database
from statemachine.execution import Execution, run
from tests.e2e.tools import RELINK, everything

FOLLOWERS = {"public.cards.holder_sub", "public.wishlists.owner_sub"}
POSSESSIONS = """
SELECT lower(btrim(email)), 'wishlist', wishlists.id, books::text
FROM users JOIN wishlists ON owner_sub = cognito_sub
UNION ALL
SELECT lower(btrim(email)), 'card', cards.id, points::text
FROM users JOIN cards ON holder_sub = cognito_sub
ORDER BY 1, 2, 3
"""
# Viktor logs in for the first time; Robot and Tara have accounts in staging's pool already.
ARRIVALS = """
UPDATE users SET cognito_sub = 'viktor-in-production' WHERE email = 'viktor@bookshop.example';
INSERT INTO users (email, name, cognito_sub)
SELECT name || '@bookshop.example', name, gen_random_uuid()
  FROM unnest(ARRAY['robot', 'tara', 'next1', 'next2', 'next3']) AS name;
INSERT INTO wishlists (owner_sub, books)
SELECT cognito_sub, ARRAY[7, id] FROM users WHERE name IN ('robot', 'tara', 'next1', 'Viktor');
INSERT INTO cards (holder_sub, points)
SELECT cognito_sub, id FROM users WHERE name IN ('robot', 'next2', 'Viktor');
UPDATE wishlists SET books = books || 9 WHERE id % 3 = 0;
"""
# Ada's address is changed in the pool too, and Boris's is not.
RENAMES = """
UPDATE users SET email = 'ada.new@bookshop.example' WHERE email = 'ada@bookshop.example';
UPDATE users SET email = 'boris.new@bookshop.example' WHERE email = 'boris@bookshop.example';
UPDATE users SET email = 'x' || email WHERE email LIKE 'customer%' AND id % 40 = 0;
UPDATE cards SET points = points + 1 WHERE id % 20 = 0;
"""
# Carla and Daniel swap addresses, Elif and Faisal wishlists and cards; others get what was theirs
# who leave. In the pool Felix and Wendy swap addresses.
SWAPS = """
UPDATE users SET email = 'carla' WHERE email = 'carla@bookshop.example';
UPDATE users SET email = 'carla@bookshop.example' WHERE email = 'daniel@bookshop.example';
UPDATE users SET email = 'daniel@bookshop.example' WHERE email = 'carla';
CREATE TEMPORARY TABLE swapped ON COMMIT DROP AS
SELECT one.cognito_sub AS old, other.cognito_sub AS new
FROM users AS one JOIN users AS other ON (one.name, other.name) IN (
    ('Elif', 'Faisal'), ('Faisal', 'Elif'), ('Esra', 'Greta')
);
UPDATE cards SET holder_sub = new FROM swapped WHERE holder_sub = old;
DELETE FROM wishlists USING swapped WHERE owner_sub = new AND new NOT IN (SELECT old FROM swapped);
UPDATE wishlists SET owner_sub = 'of ' || new FROM swapped WHERE owner_sub = old;
UPDATE wishlists SET owner_sub = substr(owner_sub, 4) WHERE owner_sub LIKE 'of %';
"""
LEAVING = ("esra@bookshop.example", "customer8@mail.example", "customer24@mail.example")


@dataclass(frozen=True, slots=True)
class Shop:
    """The staging account, and the email of each person's best account, by username."""

    account: StagingAccount
    emails: dict[str, str]

    def change_email(self, username: str, email: str) -> None:
        """Change the email of a user of staging's pool."""
        pool = self.account.pools.staging
        pool.client.admin_update_user_attributes(
            UserPoolId=pool.pool_id,
            Username=username,
            UserAttributes=[
                {"Name": "email", "Value": email},
                {"Name": "email_verified", "Value": "true"},
            ],
        )
        self.emails[username] = email

    def who_finds_another_wishlist(self) -> list[str]:
        """Log in to staging; return who finds another wishlist than production's of their email."""
        return [
            username
            for username, email in self.emails.items()
            if wishlist_of(self.account.staging, self.account.pools.staging.log_in(username))
            != wishlist_by_email(self.account.production, email)
        ]


@pytest.fixture
def shop(account: StagingAccount) -> Iterator[Shop]:
    """The staging account; after the test, its pool has the emails of before."""
    before = {
        person.accounts[0].username: person.accounts[0].email
        for person in PEOPLE
        if person.accounts and person.outcome is not Outcome.AMBIGUOUS
    }
    running = Shop(account, dict(before))
    yield running
    for username, email in before.items():
        if running.emails[username] != email:
            running.change_email(username, email)


def nothing_happens(_: Shop) -> None:
    """Staging is still as it was copied some time ago: everybody is new to its pool."""


def people_arrive(shop: Shop) -> None:
    shop.account.production.change(ARRIVALS)


def people_are_renamed(shop: Shop) -> None:
    shop.account.production.change(RENAMES)
    shop.change_email("ada.staging", "ada.new@bookshop.example")


def people_swap_and_leave(shop: Shop) -> None:
    shop.account.production.change(SWAPS)
    forget = (BOOKSHOP / "forget_user.sql").read_text()
    for email in LEAVING:
        shop.account.production.change(forget, {"email": email})
    felix, wendy = (shop.emails[name] for name in ("felix.staging", "wendy.staging"))
    shop.change_email("felix.staging", wendy)
    shop.change_email("wendy.staging", felix)


NIGHTS: tuple[Callable[[Shop], None], ...] = (
    nothing_happens,
    people_arrive,
    people_are_renamed,
    people_swap_and_leave,
)


def possessions(database: Database) -> list[tuple[Any, ...]]:
    """Return the wishlists and cards that belong to somebody, by the owner's email."""
    return database.rows(POSSESSIONS)


def rows_that_followed(execution: Execution) -> dict[str, int]:
    """Return how many rows of each follower the remap changed."""
    counts: dict[str, int] = execution.output["cognito_mapping"]["followers"]
    assert counts.keys() == FOLLOWERS
    return counts


def test_in_four_nights_everybody_s_wishlist_and_cards_stay_their_own_and_each_second_run_is_idle(
    shop: Shop,
) -> None:
    account = shop.account
    for happens in NIGHTS:
        happens(shop)

        first = run(account, RELINK)

        assert (first.status, first.cause) == ("SUCCEEDED", ""), happens
        assert first.output["db_sync"]["status"] == "synced"
        assert all(rows_that_followed(first).values()), happens
        owned = possessions(account.production)
        assert len(owned) > 500
        assert possessions(account.staging) == owned, happens
        assert contents(account.staging) == contents(account.production), happens
        assert shop.who_finds_another_wishlist() == [], happens
        after_first = everything(account)

        second = run(account, RELINK)

        assert (second.status, second.cause) == ("SUCCEEDED", ""), happens
        assert second.output["db_sync"]["status"] == "unchanged", happens
        mapping = second.output["cognito_mapping"]
        assert (mapping["updated"], mapping["unlinked"], mapping["mismatched"]) == (0, 0, 0), (
            happens
        )
        assert not any(rows_that_followed(second).values()), happens
        assert everything(account) == after_first, happens
