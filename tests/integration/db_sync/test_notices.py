"""What a notice says that mends it does: the next sync has nothing more to say of it."""

import json
from typing import Any

from common.masking.keys import MaskKey
from common.reports.notices import Notice, Topic
from common.reports.sync import SyncResult
from db_sync.rules import SyncRules
from tests.integration.db_sync.syncing import sync
from tests.support.databases import Databases, Pair

USERS = "CREATE TABLE users (id int PRIMARY KEY, email text, cognito_sub text UNIQUE, phone text);"
SUBS = """
    INSERT INTO users SELECT i, i || '@shop.example', md5(i::text)::uuid::text
        FROM generate_series(1, 9) AS i;
"""
KEY = MaskKey("0" * 64)


def synced(pair: Pair, *rules: str, **options: Any) -> SyncResult:
    """Sync with rules as a person puts them into cdk.json: those of the same kind together."""
    given: dict[str, Any] = {}
    for kind, named in (entry for each in rules for entry in json.loads(each).items()):
        given[kind] = {**given.get(kind, {}), **named} if isinstance(named, dict) else named
    return sync(pair, rules=SyncRules.parse(json.dumps(given)), mask_key=KEY, **options)


def only(result: SyncResult) -> Notice:
    (notice,) = result.notices
    return notice


def test_a_table_that_only_staging_has_may_be_excluded(databases: Databases) -> None:
    pair = databases.pair(USERS)
    pair.target.execute('CREATE TABLE "own.things" (id int)')

    notice = only(synced(pair))

    assert (notice.topic, notice.mend) == (
        Topic.SCHEMA,
        """{"exclude": ["public.\\"own.things\\""]}""",
    )
    assert synced(pair, notice.mend).notices == ()


def test_a_table_that_looks_like_a_migration_tool_s_may_be_included(databases: Databases) -> None:
    pair = databases.pair("CREATE TABLE migrations (id int PRIMARY KEY)")

    notice = only(synced(pair))

    assert notice.mend == '{"include": ["public.migrations"]}'
    assert synced(pair, notice.mend).notices == ()


def test_columns_that_look_personal_may_be_masked_as_it_proposes(databases: Databases) -> None:
    pair = databases.pair(USERS, SUBS)
    emails = '{"mask": {"public.users.email": "email"}, "reviewed": ["*.cognito_sub"]}'

    notice = only(synced(pair, emails))

    assert notice.topic is Topic.PERSONAL_DATA
    assert list(json.loads(notice.mend)["mask"]) == ["public.users.phone"]
    assert synced(pair, emails, notice.mend).notices == ()


def test_columns_that_hold_subs_may_follow_as_it_proposes(databases: Databases) -> None:
    pair = databases.pair(
        f"{USERS} CREATE TABLE wishlists (id int PRIMARY KEY, owner_sub text)",
        f"{SUBS} INSERT INTO wishlists SELECT id, cognito_sub FROM users; ANALYZE",
    )
    kept = '{"keep": [{"column": "public.users.cognito_sub", "while_same": ["email"]}]}'

    notice = only(synced(pair, kept))

    assert notice.topic is Topic.LOGINS
    assert json.loads(notice.mend) == {
        "follow": {"public.wishlists.owner_sub": "public.users.cognito_sub"}
    }
    assert synced(pair, kept, notice.mend).notices == ()


def test_a_target_without_the_mark_is_marked_by_its_statement(databases: Databases) -> None:
    pair = databases.pair(USERS)
    pair.target.execute(f"COMMENT ON DATABASE {pair.target.name} IS NULL")

    notice = only(synced(pair, dry_run=True))

    assert notice.topic is Topic.REFUSED
    pair.target.execute(notice.mend)
    assert synced(pair, dry_run=True).notices == ()


def test_rights_that_a_sync_lacks_are_granted_by_its_statements(
    databases: Databases, role: str
) -> None:
    pair = databases.pair(USERS)
    pair.target.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}")
    address = pair.target.address_as(role)

    notices = synced(pair, dry_run=True, target=address).notices

    assert {notice.topic for notice in notices} == {Topic.REFUSED}
    for notice in notices:
        pair.target.execute(notice.mend)
    assert synced(pair, dry_run=True, target=address).notices == ()
    assert synced(pair, target=address).notices == ()


def test_a_sequence_that_cannot_be_read_is_granted_by_its_statement(
    databases: Databases, role: str
) -> None:
    pair = databases.pair("CREATE TABLE orders (id serial PRIMARY KEY)")
    pair.source.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}")
    address = pair.source.address_as(role)

    notice = only(synced(pair, source=address))

    assert notice.topic is Topic.ROWS
    pair.source.execute(notice.mend)
    assert synced(pair, source=address).notices == ()
