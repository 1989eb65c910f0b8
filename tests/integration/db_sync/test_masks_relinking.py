"""A changed mask of the email: the run that would take nearly everybody's login is refused."""

from typing import Any

import pytest

from common.errors import ConfigurationError
from tests.integration.db_sync.masking import KEY, OTHER_KEY, Masks, sync_masked
from tests.support.databases import Databases, Pair

PERSONS: dict[str, Any] = {"keep": [{"column": "public.users.sub", "while_same": ["email"]}]}
USERS = "CREATE TABLE users (id int PRIMARY KEY, email text, sub text UNIQUE);"
ROWS = (
    "INSERT INTO users SELECT i, 'User' || i || '@x.org', 'p-' || i FROM generate_series(1, 40) i"
)
MASKED: Masks = {"public.users.email": "email"}
KEPT_DOMAIN: Masks = {"public.users.email": {"with": "email", "keep_domains": ["x.org"]}}
UNMASKED: Masks = {"public.users.id": {"with": "sql", "expression": "{column}"}}
REFUSAL = (
    "Nearly all rows of public.users in the target have another email than the present mask rules"
    " and key would give them. So they would lose their sub, and nobody could log in until a remap:"
    ' start with {"sync_cognito": true}, or the command with --remapped if you remap yourself.'
)


def linked(databases: Databases, masks: Masks) -> Pair:
    """Return a pair that was synced with masks, and whose users were linked to a pool."""
    pair = databases.pair(USERS, source=ROWS)
    sync_masked(pair, masks, reviewed=["*.email"], is_remapped=True, **PERSONS)
    pair.target.execute("UPDATE users SET sub = 's-' || id")
    return pair


def subs(pair: Pair, prefix: str) -> int:
    count: int = pair.target.value(f"SELECT count(*) FROM users WHERE sub LIKE '{prefix}-%'")
    return count


@pytest.mark.parametrize(
    ("before", "after", "key"),
    [
        ({}, MASKED, KEY),
        (MASKED, MASKED, OTHER_KEY),
        (MASKED, {}, KEY),
        (KEPT_DOMAIN, MASKED, KEY),
    ],
    ids=["new rule", "other key", "rule removed", "kept domain removed"],
)
def test_a_run_that_would_unlink_nearly_everybody_must_be_followed_by_a_remap(
    databases: Databases, before: Masks, after: Masks, key: Any
) -> None:
    pair = linked(databases, before)
    contents = pair.target.contents()
    others = {"key": key, "reviewed": ["*.email"], **PERSONS}

    planned = sync_masked(pair, after, dry_run=True, **others)
    with pytest.raises(ConfigurationError) as refused:
        sync_masked(pair, after, **others)

    assert refused.value.message == "Nothing was written."
    assert refused.value.reasons == (REFUSAL,)
    assert f"A sync that writes will be refused: {REFUSAL}" in planned.warnings
    assert pair.target.contents() == contents

    allowed = sync_masked(pair, after, is_remapped=True, **others)

    assert (subs(pair, "s"), subs(pair, "p")) == (0, 40)
    assert sum(table.rows_unlinked for table in allowed.tables) == 40
    assert sync_masked(pair, after, **others).status == "unchanged"


def test_a_first_sync_into_an_empty_target_is_not_refused(databases: Databases) -> None:
    pair = databases.pair(USERS, source=ROWS)

    assert sync_masked(pair, MASKED, **PERSONS).status == "synced"


def test_people_without_a_sub_have_nothing_to_lose(databases: Databases) -> None:
    pair = linked(databases, {})
    pair.target.execute("UPDATE users SET sub = NULL")

    assert sync_masked(pair, MASKED, **PERSONS).status == "synced"


def test_testers_own_rows_do_not_refuse_a_night(databases: Databases) -> None:
    pair = linked(databases, MASKED)
    pair.target.execute(
        "INSERT INTO users SELECT i, 'tester' || i || '@x.org', 's-' || i"
        " FROM generate_series(100, 115) i"
    )

    result = sync_masked(pair, MASKED, **PERSONS)

    assert result.status == "synced"
    assert subs(pair, "s") == 40


def test_a_change_of_one_persons_email_unlinks_that_one(databases: Databases) -> None:
    pair = linked(databases, MASKED)
    pair.source.execute("UPDATE users SET email = 'new@x.org' WHERE id = 7")

    result = sync_masked(pair, MASKED, **PERSONS)

    assert sum(table.rows_unlinked for table in result.tables) == 1
    assert pair.target.rows("SELECT id FROM users WHERE sub LIKE 'p-%'") == [(7,)]


def test_a_change_of_case_under_the_mask_keeps_the_sub(databases: Databases) -> None:
    pair = linked(databases, MASKED)
    before = pair.target.value("SELECT email FROM users WHERE id = 7")
    pair.source.execute("UPDATE users SET email = 'user7@x.org' WHERE id = 7")

    result = sync_masked(pair, MASKED, **PERSONS)

    assert sum(table.rows_updated for table in result.tables) == 1
    assert sum(table.rows_unlinked for table in result.tables) == 0
    assert subs(pair, "s") == 40
    assert pair.target.value("SELECT email FROM users WHERE id = 7") != before


def test_a_kept_domain_that_is_added_unlinks_its_addresses_only(databases: Databases) -> None:
    pair = linked(databases, MASKED)
    pair.source.execute("UPDATE users SET email = 'one@team.org' WHERE id = 1")
    sync_masked(pair, MASKED, **PERSONS)
    pair.target.execute("UPDATE users SET sub = 's-' || id")

    kept: Masks = {"public.users.email": {"with": "email", "keep_domains": ["team.org"]}}
    result = sync_masked(pair, kept, **PERSONS)

    assert pair.target.value("SELECT email FROM users WHERE id = 1") == "one@team.org"
    assert sum(table.rows_unlinked for table in result.tables) == 1
    assert subs(pair, "s") == 39


def test_a_sub_of_the_targets_own_is_kept_by_masked_emails_too(databases: Databases) -> None:
    pair = databases.pair(
        "CREATE TABLE users (id int PRIMARY KEY, email text)",
        source="INSERT INTO users SELECT i, 'u' || i || '@x.org' FROM generate_series(1, 40) i",
    )
    pair.target.execute("ALTER TABLE users ADD COLUMN sub text")
    sync_masked(pair, MASKED, **PERSONS)
    pair.target.execute("UPDATE users SET sub = 's-' || id")
    pair.source.execute("UPDATE users SET email = 'new@x.org' WHERE id = 7")

    with pytest.raises(ConfigurationError, match="nobody could log in"):
        sync_masked(pair, MASKED, key=OTHER_KEY, **PERSONS)
    sync_masked(pair, MASKED, **PERSONS)

    assert pair.target.rows("SELECT id FROM users WHERE sub IS NULL") == [(7,)]


def test_removing_all_rules_is_noticed_too(databases: Databases) -> None:
    pair = linked(databases, MASKED)

    with pytest.raises(ConfigurationError) as refused:
        sync_masked(pair, {}, key=None, **PERSONS)

    assert refused.value.reasons == (REFUSAL,)
