"""A row that is claimed with an unverified email, and the remedy in docs/security.md."""

import contextlib
from collections.abc import Iterator

import pytest

from sandbox.account import StagingAccount
from sandbox.bookshop.comparison import contents, subs
from sandbox.bookshop.followers import wishlist_by_email, wishlist_of
from sandbox.bookshop.people import Account
from statemachine.execution import run
from tests.e2e.tools import LINKED, RELINK, REMAP, function_changed
from tests.support.pages import blocks, read_page

VICTIM = "olga@bookshop.example"  # has a row and no account in staging's pool
CLAIM = Account("mallory", VICTIM, verified=False)


@pytest.fixture
def claimed(account: StagingAccount) -> Iterator[str]:
    """The sub of a user who has claimed the victim's row."""
    pool = account.pools.staging
    sub = pool.add(CLAIM)
    try:
        assert run(account, REMAP).output["cognito_mapping"]["unverified_email"] == 3
        assert subs(account.staging)[VICTIM] == sub
        yield sub
    finally:
        with contextlib.suppress(pool.client.exceptions.UserNotFoundException):
            pool.client.admin_delete_user(UserPoolId=pool.pool_id, Username=CLAIM.username)


@contextlib.contextmanager
def only_verified(account: StagingAccount) -> Iterator[None]:
    """Link only users whose email is verified, for the length of a with statement."""
    name = account.function_name("update_db")
    found = account.clients.functions.get_function_configuration(FunctionName=name)
    variables = {**found["Environment"]["Variables"], "REQUIRE_VERIFIED_EMAIL": "true"}
    with function_changed(account, name, Environment={"Variables": variables}):
        yield


def test_a_claim_is_refused_where_emails_must_be_verified(account: StagingAccount) -> None:
    pool = account.pools.staging
    sub = pool.add(CLAIM)
    try:
        with only_verified(account):
            run(account, REMAP)
        assert subs(account.staging)[VICTIM] != sub
    finally:
        pool.client.admin_delete_user(UserPoolId=pool.pool_id, Username=CLAIM.username)


def test_a_claim_stays_until_every_row_is_taken_for_another_person_s(
    account: StagingAccount, claimed: str
) -> None:
    (change_emails,) = blocks(read_page("security.md"), "sql")
    theirs = wishlist_by_email(account.production, VICTIM)
    assert theirs
    pool = account.pools.staging

    with only_verified(account):
        run(account, REMAP)
        assert subs(account.staging)[VICTIM] == claimed
        pool.client.admin_delete_user(UserPoolId=pool.pool_id, Username=CLAIM.username)
        run(account, REMAP)
        assert subs(account.staging)[VICTIM] == claimed

        assert wishlist_of(account.staging, claimed) == theirs
        account.staging.change(change_emails)
        outcome = run(account, RELINK).output["cognito_mapping"]

    now = subs(account.staging)
    assert now[VICTIM] == subs(account.production)[VICTIM]
    assert claimed not in now.values()
    assert wishlist_of(account.staging, claimed) == []
    assert contents(account.staging) == contents(account.production)
    # All of them but those whose email is not verified.
    assert outcome["updated"] == len(LINKED) - 2
