"""The bookshop's columns that hold users' subs beside `users`, and who owns what by them."""

from typing import Any

from sandbox.bookshop.people import normalized
from sandbox.database import Database

# `follow` of cdk.json's `sync_rules`; the cards' holder has a foreign key, and needs no rule.
FOLLOW = {"public.wishlists.owner_sub": "public.users.cognito_sub"}
FOLLOWERS = frozenset({("wishlists", "owner_sub"), ("cards", "holder_sub")})

WISHLIST_OF_SUB = "SELECT id, books FROM wishlists WHERE owner_sub = %(sub)s"
WISHLIST_OF_EMAIL = """
SELECT wishlists.id, books FROM wishlists JOIN users ON cognito_sub = owner_sub
WHERE lower(btrim(email)) = %(email)s
"""


def wishlist_of(database: Database, sub: str | None) -> list[tuple[Any, ...]]:
    """Return the wishlist that somebody with this sub finds; none if there is none."""
    return database.rows(WISHLIST_OF_SUB, {"sub": sub})


def wishlist_by_email(database: Database, email: str) -> list[tuple[Any, ...]]:
    """Return the wishlist of the person with this email; none if there is none."""
    return database.rows(WISHLIST_OF_EMAIL, {"email": normalized(email)})
