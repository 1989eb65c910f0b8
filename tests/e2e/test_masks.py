"""With masks no customer's value reaches staging's account, and people still log in."""

import gzip
import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from common.masking.keys import MaskKey
from sandbox.account import StagingAccount
from sandbox.bookshop.comparison import contents
from sandbox.bookshop.logins import Found, log_in_everybody
from sandbox.bookshop.masks import (
    MASKED,
    SYNC_RULES,
    customers_values,
    is_masked,
    signs_of_originals,
)
from sandbox.bookshop.people import CUSTOMERS_EMAIL, PEOPLE
from sandbox.deploy import deploy
from statemachine.execution import Execution, history, run
from tests.e2e.stacks import of_stack, remove_environment
from tests.e2e.tools import LINKED, RELINK, everything, files, log_text

ENVIRONMENT = "masked"
CUSTOMERS = 2061


@pytest.fixture
def masking(account: StagingAccount, tmp_path: Path) -> Iterator[StagingAccount]:
    """The staging account with a stack that masks, beside its own."""
    settings = {
        **account.settings,
        "schedule_expression": None,
        "sync_rules": SYNC_RULES,
        "mask_key_secret_arn": account.mask_key_secret_arn,
    }
    directory = tmp_path / "deploy"
    deploy(account.cloud, settings, directory, environment=ENVIRONMENT, is_bootstrapped=True)
    yield of_stack(account, ENVIRONMENT)
    remove_environment(account, ENVIRONMENT)


def test_no_value_of_a_customer_reaches_staging_and_everybody_still_logs_in(
    masking: StagingAccount,
) -> None:
    originals = customers_values(masking.production)
    assert len(originals) > 3 * CUSTOMERS
    assert not [value for value in originals if not has_signs(value)]
    assert has_signs(masking.staging.contents())  # as it was copied some time ago
    since = datetime.now(UTC)

    first = run(masking, RELINK)

    assert (first.status, first.cause) == ("SUCCEEDED", "")
    assert_masked(masking)
    dump = masking.staging.server.run("pg_dump", "--data-only", masking.staging.name)
    assert "ada@bookshop.example" in dump
    assert not has_signs(dump)
    assert places_with_signs(masking, first, since) == []
    found = log_in_everybody(masking)
    assert {login.person.name for login in found if login.found is Found.OWN_ROW} == LINKED
    assert not [login for login in found if login.found is Found.ANOTHERS_ROW]
    after_first = everything(masking)

    second = run(masking, RELINK)

    assert second.output["db_sync"]["status"] == "unchanged"
    mapping = second.output["cognito_mapping"]
    assert (mapping["updated"], mapping["unchanged"]) == (0, len(LINKED))
    assert everything(masking) == after_first


def assert_masked(account: StagingAccount) -> None:
    """Check that addresses are masked as a plain model does it, and all else is production's."""
    secret = account.clients.secrets.get_secret_value(SecretId=account.mask_key_secret_arn)
    key = MaskKey(secret["SecretString"])
    query = "SELECT id, email FROM users"
    originals, masked = dict(account.production.rows(query)), dict(account.staging.rows(query))
    assert masked == {row: masked_email(key, email) for row, email in originals.items()}
    assert sum(map(is_masked, masked.values())) == CUSTOMERS
    assert contents(account.staging, without=MASKED) == contents(account.production, without=MASKED)


def masked_email(key: MaskKey, email: str) -> str:
    if email.strip().lower().endswith("@bookshop.example"):
        return email
    digest = hashlib.sha256(key.of_kind("email") + email.encode()).hexdigest()
    return f"{digest[:24]}@m{key.tag}.invalid"


def places_with_signs(account: StagingAccount, execution: Execution, since: datetime) -> list[str]:
    """Return where a customer's value is, of all that a run leaves outside of the database.

    The addresses in the pool's listing do not come from production.
    """
    texts = {
        "history": json.dumps(history(account, execution.arn), default=str),
        "logs": log_text(account, since),
        "staging's log": (account.staging.server.socket_dir / "server.log").read_text(),
        **{name: text_of(account, execution, name) for name in files(account, execution)},
    }
    listings = [name for name in texts if name.startswith("cognito-users/part")]
    assert {"db-sync.json", "cognito-mapping.csv.gz"} <= texts.keys()
    assert all(CUSTOMERS_EMAIL in texts[name] for name in listings)
    assert all(texts.values())
    assert listings
    # The files of the Lambdas and of the local AWS, which has the pool too.
    temporary = [
        path
        for path in account.cloud.authority.parent.rglob("*")
        if path.is_file() and path.stat().st_mtime >= since.timestamp()
    ]
    assert temporary
    found = [name for name, text in texts.items() if name not in listings and has_signs(text)]
    found += [name for name in listings if has_signs(without_pool(texts[name]))]
    for path in temporary:
        text = path.read_text("latin-1")
        if has_signs(text) and has_signs(without_pool(text)):
            found.append(str(path))
    return found


def without_pool(text: str) -> str:
    """Return a text without the addresses of staging's pool."""
    for person in PEOPLE:
        for user in person.accounts:
            text = text.replace(user.email, "")
    return text


def text_of(account: StagingAccount, execution: Execution, name: str) -> str:
    """Return a file of an execution, unpacked."""
    key = f"executions/{execution.name}/{name}"
    body = account.clients.s3.get_object(Bucket=account.bucket, Key=key)["Body"].read()
    return (gzip.decompress(body) if name.endswith(".gz") else body).decode()


def has_signs(text: str) -> bool:
    return any(signs_of_originals(text))
