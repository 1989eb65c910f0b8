"""No login finds somebody else's row: a sub belongs to a person and not to a key."""

import contextlib
import json
from collections.abc import Iterator
from typing import Any

from sandbox.account import StagingAccount
from sandbox.bookshop.comparison import subs
from sandbox.bookshop.people import Account
from statemachine.execution import Execution, run
from tests.e2e.tools import RELINK, REMAP, everything, function_changed

TESS = Account("tess", "tess@bookshop.example")
CUSTOMER = "next.customer@bookshop.example"
PAVEL = "pavel@bookshop.example"  # has a row and no account in staging's pool
LOOK_ALIKE = Account("pawel", "pavel@boo\u212ashop.example")  # with U+212A, the Kelvin sign


@contextlib.contextmanager
def added(account: StagingAccount, *users: Account) -> Iterator[list[str]]:
    """Add users to staging's pool for the length of a with statement; yield their subs."""
    pool = account.pools.staging
    try:
        yield [pool.add(user) for user in users]
    finally:
        for user in users:
            pool.client.admin_delete_user(UserPoolId=pool.pool_id, Username=user.username)


@contextlib.contextmanager
def remapping_with(account: StagingAccount, **variables: str) -> Iterator[None]:
    """Change UpdateDb's settings for the length of a with statement."""
    name = account.function_name("update_db")
    found = account.clients.functions.get_function_configuration(FunctionName=name)
    changed = {**found["Environment"]["Variables"], **variables}
    with function_changed(account, name, Environment={"Variables": changed}):
        yield


def rows_found(account: StagingAccount, user: Account) -> list[str]:
    """Log a user in, and return the emails of the rows with the token's sub."""
    sub = account.pools.staging.log_in(user.username)
    found = account.staging.rows(
        "SELECT email FROM users WHERE cognito_sub = %(sub)s", {"sub": sub}
    )
    return [email for (email,) in found]


def report_of(account: StagingAccount, execution: Execution) -> dict[str, Any]:
    """Return the table `users` in a sync's report."""
    key = f"executions/{execution.name}/db-sync.json"
    body = account.clients.s3.get_object(Bucket=account.bucket, Key=key)["Body"].read()
    (users,) = (each for each in json.loads(body)["tables"] if each["table"] == "public.users")
    return dict(users)


def test_a_tester_never_finds_the_new_customer_of_production_who_got_the_same_key(
    account: StagingAccount,
) -> None:
    run(account, RELINK)
    with added(account, TESS) as (sub,):
        account.staging.change(
            "INSERT INTO users (email, name, cognito_sub) VALUES (%(email)s, 'Tess', %(sub)s)",
            {"email": TESS.email, "sub": sub},
        )
        assert rows_found(account, TESS) == [TESS.email]
        account.production.change(
            "INSERT INTO users (email, name, cognito_sub) VALUES (%(email)s, 'Next', 'prod-sub')",
            {"email": CUSTOMER},
        )
        (key,), *_ = account.staging.rows(f"SELECT id FROM users WHERE email = '{TESS.email}'")
        assert account.production.rows(f"SELECT email FROM users WHERE id = {key}") == [(CUSTOMER,)]

        for document in ({"dry_run": True}, {}):
            execution = run(account, document)
            assert report_of(account, execution)["rows_unlinked"] == 1
            assert any(
                "lost their value" in each for each in execution.output["db_sync"]["warnings"]
            )
        assert rows_found(account, TESS) == []
        assert subs(account.staging)[CUSTOMER] == "prod-sub"

        execution = run(account, RELINK)
        assert execution.output["db_sync"]["status"] == "unchanged"
        assert execution.output["cognito_mapping"]["mismatched"] == 0
        assert rows_found(account, TESS) == []


def test_a_row_that_holds_another_persons_sub_is_corrected_by_the_remap(
    account: StagingAccount,
) -> None:
    run(account, RELINK)
    with added(account, TESS) as (sub,):
        account.staging.change(
            "DELETE FROM cards USING users WHERE holder_sub = cognito_sub AND email = %(email)s;"
            "UPDATE users SET cognito_sub = %(sub)s WHERE email = %(email)s",
            {"email": PAVEL, "sub": sub},
        )
        assert rows_found(account, TESS) == [PAVEL]
        before = everything(account)

        planned = run(account, {**REMAP, "dry_run": True}).output["cognito_mapping"]
        assert everything(account) == before
        corrected = run(account, REMAP).output["cognito_mapping"]

        assert (planned["mismatched"], corrected["mismatched"]) == (1, 1)
        assert rows_found(account, TESS) == []
        assert run(account, REMAP).output["cognito_mapping"]["mismatched"] == 0


def test_a_look_alike_of_an_address_is_not_linked_and_is_reported(account: StagingAccount) -> None:
    with added(account, LOOK_ALIKE):
        mapping = run(account, RELINK).output["cognito_mapping"]

        assert rows_found(account, LOOK_ALIKE) == []
        (warning,) = [each for each in mapping["warnings"] if "near misses" in each]
        assert "bookshop" not in warning


def test_another_shops_pool_is_reported_and_refused_where_a_minimum_must_match(
    account: StagingAccount,
) -> None:
    run(account, {})
    account.staging.change("UPDATE users SET email = 'other.' || email")
    before = everything(account)

    reported = run(account, REMAP).output["cognito_mapping"]
    with remapping_with(account, MIN_MATCHED_PERCENT="1"):
        refused = run(account, REMAP)
    with remapping_with(account, EMAIL_COLUMN="name"):
        elsewhere = run(account, REMAP).output["cognito_mapping"]

    assert any("no address of the pool is in the table" in each for each in reported["warnings"])
    assert (refused.status, refused.error) == ("FAILED", "ConfigurationError")
    assert "min_matched_percent" in refused.cause
    assert any("no row has an @ in the column name" in each for each in elsewhere["warnings"])
    assert everything(account) == before
