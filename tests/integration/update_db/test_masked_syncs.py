"""A sync that masks the emails, and the remap after it: logins stay, and find their rows again."""

import json
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from common.errors import ConfigurationError
from common.masking.keys import MaskKey
from common.reports.sync import SyncResult
from db_sync.rules import SyncRules
from db_sync.run import SyncOptions
from db_sync.sync import sync_database
from sandbox.database import Database
from tests.integration.update_db.conftest import MakeStaging, UseMask
from tests.integration.update_db.remapping import PoolUser, Staging
from tests.support.databases import Databases, Pair
from tests.support.masked_emails import KEY, OTHER_KEY, masked

RULE = {"with": "email", "keep_domains": ["team.example"]}
RULES = SyncRules.parse(
    json.dumps(
        {
            "keep": [{"column": "public.users.sub", "while_same": ["email"]}],
            "mask": {"public.users.email": RULE},
        }
    )
)
USERS = "CREATE TABLE users (id int PRIMARY KEY, email {} UNIQUE, sub text UNIQUE)"
EMAILS = [
    "Ana@x.org",
    "bo@x.org",
    " cyrille@x.org",
    "Dev@Team.example",
    "JÜRGEN@x.org",
    "\u0130van@x.org",
    "pavel@boo\u212ashop.example",
    "twin@x.org",
    "Twin@x.org",
    "nobody@x.org",
    "0123456789abcdef01234567@m0000.invalid",
]
POOL = [
    PoolUser("ANA@x.org", "s-1"),
    PoolUser("bo@x.org ", "s-2"),
    PoolUser("Cyrille@x.org", "s-3"),
    PoolUser("dev@team.example", "s-4"),
    PoolUser("jürgen@x.org", "s-5"),
    PoolUser("\u0130VAN@x.org", "s-6"),
    PoolUser("PAVEL@boo\u212ashop.example", "s-7"),
    PoolUser("twin@x.org", "s-8"),
    PoolUser("0123456789abcdef01234567@M0000.invalid", "s-11"),
]
# How many digits the masked addresses have in a column of a type.
DIGITS = {"text": 24, "varchar(40)": 17, "address": 19}
LINKED = {1: "s-1", 2: "s-2", 3: "s-3", 4: "s-4", 5: "s-5", 6: "s-6", 7: "s-7"}
UNLINKED = {8: "p-8", 9: "p-9", 10: "p-10"}
AFTER = LINKED | UNLINKED | {11: "s-11"}


@dataclass(frozen=True, slots=True)
class Synced:
    """Production with people, a staging that is synced from it, and the pool's listing."""

    pair: Pair
    staging: Staging

    def sync(self, key: str, *, is_remapped: bool = False) -> SyncResult:
        options = SyncOptions("test", RULES, mask_key=MaskKey(key), is_remapped=is_remapped)
        return sync_database(self.pair.source.address, self.pair.target.address, options)

    def subs(self) -> dict[int, str | None]:
        return dict(self.pair.target.rows("SELECT id, sub FROM users"))

    def emails(self) -> list[str]:
        return [email for (email,) in self.pair.target.rows("SELECT email FROM users ORDER BY id")]


@pytest.fixture(params=DIGITS)
def synced(
    request: pytest.FixtureRequest,
    databases: Databases,
    make_staging: MakeStaging,
    use_database: Callable[[Database], None],
    monkeypatch: pytest.MonkeyPatch,
) -> Synced:
    pair = databases.pair(f"CREATE DOMAIN address AS varchar(42); {USERS.format(request.param)}")
    with pair.source.connect() as connection, connection.cursor() as cursor:
        for number, email in enumerate(EMAILS, 1):
            cursor.execute("INSERT INTO users VALUES (%s, %s, %s)", (number, email, f"p-{number}"))
    connection.close()
    made = make_staging()
    monkeypatch.setenv("SUB_COLUMN", "sub")
    use_database(pair.target)
    return Synced(pair, Staging(pair.target, made.s3, made.exchange))


def test_people_are_linked_after_a_masked_sync(
    synced: Synced, use_mask: UseMask, request: pytest.FixtureRequest
) -> None:
    synced.sync(KEY)
    use_mask(RULE)

    result = synced.staging.remap(*POOL)

    digits = DIGITS[request.node.callspec.params["synced"]]
    assert synced.emails() == [
        email if email == "Dev@Team.example" else masked(email, digits=digits) for email in EMAILS
    ]
    assert result.counts == {"updated": 8, "skipped_ambiguous": 2, "skipped_no_cognito_user": 1}
    assert synced.subs() == AFTER
    assert synced.sync(KEY).status == "unchanged"
    assert synced.staging.remap(*POOL).counts["unchanged"] == 8
    assert synced.subs() == AFTER


def test_people_are_linked_again_by_the_remap_after_a_sync_with_another_key(
    synced: Synced, use_mask: UseMask
) -> None:
    synced.sync(KEY)
    use_mask(RULE)
    synced.staging.remap(*POOL)

    with pytest.raises(ConfigurationError, match="sync_cognito"):
        synced.sync(OTHER_KEY)
    use_mask(RULE, OTHER_KEY)
    too_early = synced.staging.remap(*POOL)

    assert synced.subs() == AFTER, "nobody is found, and nobody loses a sub"
    assert "10 rows have an address that was masked by another key" in too_early.warnings

    unlinking = synced.sync(OTHER_KEY, is_remapped=True)

    assert synced.subs() == {number: f"p-{number}" for number in AFTER} | {4: "s-4"}
    assert [table.rows_unlinked for table in unlinking.tables] == [7]
    assert synced.staging.remap(*POOL).counts["updated"] == 7
    assert synced.subs() == AFTER
    assert synced.sync(OTHER_KEY).status == "unchanged"
