"""Who can log in to staging: logs in to its pool and looks up the token's sub in `users`."""

import enum
from collections.abc import Collection
from dataclasses import dataclass, field

from botocore.exceptions import ClientError

from sandbox.account import StagingAccount
from sandbox.bookshop.followers import wishlist_by_email, wishlist_of
from sandbox.bookshop.masks import is_masked
from sandbox.bookshop.people import PEOPLE, Account, Person, normalized


class Found(enum.Enum):
    """Which row of staging's database somebody finds after logging in."""

    OWN_ROW = "finds their row"
    NO_ROW = "finds no row"
    ANOTHERS_ROW = "finds somebody else's row"


@dataclass(frozen=True, slots=True)
class Login:
    """One person's attempt to use staging."""

    person: Person
    account: Account
    logged_in: bool
    found: Found
    orders: int  # of the row that was found
    sub: str | None = field(default=None, repr=False)  # in the token


def log_in_everybody(account: StagingAccount) -> list[Login]:
    """Log in each person who has an account in staging's pool, with their best account."""
    return [log_in(account, person) for person in PEOPLE if person.accounts]


def log_in(account: StagingAccount, person: Person) -> Login:
    """Log a person in with their best account and look up the token's sub in `users`."""
    user = person.accounts[0]
    try:
        sub = account.pools.staging.log_in(user.username)
    except ClientError:
        return Login(person, user, logged_in=False, found=Found.NO_ROW, orders=0)
    rows = account.staging.rows(
        "SELECT id, email, (SELECT count(*) FROM orders WHERE user_id = users.id)"
        " FROM users WHERE cognito_sub = %(sub)s",
        {"sub": sub},
    )
    if not rows:
        return Login(person, user, logged_in=True, found=Found.NO_ROW, orders=0, sub=sub)
    key, email, orders = rows[0]
    if is_masked(email):  # it came from production with its key
        ((email,),) = account.production.rows("SELECT email FROM users WHERE id = %s", [key])
    theirs = {normalized(email) for email in person.rows + person.staging_rows}
    found = Found.OWN_ROW if normalized(email) in theirs else Found.ANOTHERS_ROW
    return Login(person, user, logged_in=True, found=found, orders=orders, sub=sub)


def find_wishlists(
    account: StagingAccount, logins: Collection[Login]
) -> tuple[list[Login], list[Login]]:
    """Return who has a wishlist in production, and who of them finds that one in staging."""
    own = {
        login.person.name: wishlist_by_email(account.production, login.account.email)
        for login in logins
    }
    owners = [login for login in logins if own[login.person.name]]
    finders = [
        login
        for login in owners
        if wishlist_of(account.staging, login.sub) == own[login.person.name]
    ]
    return owners, finders
