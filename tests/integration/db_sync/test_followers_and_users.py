"""What users and rules must be like, so that it is known whose each sub is."""

import json

import pytest

from common.errors import ConfigurationError, SchemaMismatch
from db_sync.rules import SyncRules
from tests.integration.db_sync.following import (
    KEPT,
    SUB,
    USERS,
    WISHLISTS,
    insert_rows,
    insert_users,
    production_sub,
    remap,
    rules,
    staging_sub,
)
from tests.integration.db_sync.masking import sync_masked
from tests.integration.db_sync.syncing import sync
from tests.support.databases import Databases


@pytest.mark.parametrize("where", ["source", "target"])
def test_a_sub_that_two_people_share_is_refused(databases: Databases, where: str) -> None:
    schema = USERS.replace("UNIQUE", "") + WISHLISTS.format(type="text")
    pair = databases.pair(schema, insert_users(5), insert_users(5))
    database = pair.source if where == "source" else pair.target
    database.execute("UPDATE users SET cognito_sub = 'shared' WHERE id < 3")

    with pytest.raises(SchemaMismatch, match="Two rows have the same") as refused:
        sync(pair, rules=rules("wishlists.owner_sub"))

    assert "shared'" not in str(refused.value)


def test_rows_marked_as_deleted_may_have_the_sub_of_the_same_person(databases: Databases) -> None:
    schema = USERS.replace("UNIQUE", "") + WISHLISTS.format(type="text")
    schema += "CREATE UNIQUE INDEX ON users (cognito_sub) WHERE id > 0;"
    pair = databases.pair(schema, *[insert_users(5) + insert_rows("wishlists", 5, 9)] * 2)
    for database in pair:
        database.execute("INSERT INTO users SELECT -1, email, cognito_sub FROM users WHERE id = 1")
    remap(pair, range(1, 4), "wishlists.owner_sub")  # both rows of the first person
    following = rules("wishlists.owner_sub")
    assert sync(pair, rules=following).status == "unchanged"

    pair.target.execute("UPDATE users SET cognito_sub = 'of somebody else' WHERE id = -1")
    with pytest.raises(SchemaMismatch, match="Two rows have the same"):
        sync(pair, rules=following)


def test_many_rows_may_have_a_blank_sub_which_is_none(databases: Databases) -> None:
    schema = USERS.replace("UNIQUE", "") + WISHLISTS.format(type="text")
    pair = databases.pair(schema, insert_users(9), insert_users(9))
    pair.source.execute(
        f"""
        UPDATE users SET cognito_sub = '' WHERE id IN (1, 2, 6, 7);
        INSERT INTO users VALUES (10, 'u10@shop.example', '');
        INSERT INTO wishlists VALUES (1, '', 'nobody''s'), (2, '{production_sub(3)}', 'of one');
        """
    )
    pair.target.execute("UPDATE users SET cognito_sub = '' WHERE id > 5")
    remap(pair, range(1, 4))

    sync(pair, rules=rules("wishlists.owner_sub"))

    assert pair.target.rows("SELECT owner_sub FROM wishlists ORDER BY id") == [
        ("",),
        (staging_sub(3),),
    ]
    assert pair.target.rows("SELECT count(*) FROM users WHERE cognito_sub = ''") == [(5,)]
    assert sync(pair, rules=rules("wishlists.owner_sub")).status == "unchanged"


@pytest.mark.parametrize(
    ("others", "why"), [({}, "has no key"), ({"exclude": ["public.users"]}, "is excluded")]
)
def test_a_sub_column_of_which_nobody_knows_whose_the_subs_are_is_not_followed(
    databases: Databases, others: dict[str, list[str]], why: str
) -> None:
    pair = databases.pair(USERS.replace("PRIMARY KEY", "") + WISHLISTS.format(type="text"))
    following = {"keep": [KEPT], "follow": {"public.wishlists.owner_sub": SUB}, **others}

    with pytest.raises(ConfigurationError, match=f"public.users {why}"):
        sync(pair, rules=SyncRules.parse(json.dumps(following)))


def test_a_masked_sub_is_followed_by_columns_with_the_same_mask(databases: Databases) -> None:
    pair = databases.pair(USERS + WISHLISTS.format(type="text"), insert_users(9))
    pair.source.execute(insert_rows("wishlists", people=9, rows=40))
    masks = {SUB: "uuid", "public.wishlists.owner_sub": "uuid"}
    follow = {"public.wishlists.owner_sub": SUB}
    sync_masked(pair, masks, keep=[KEPT], follow=follow)
    remap(pair, range(1, 5), "wishlists.owner_sub")

    assert sync_masked(pair, masks, keep=[KEPT], follow=follow).status == "unchanged"
    with pytest.raises(ConfigurationError, match="give both the same mask"):
        sync_masked(pair, {SUB: "uuid"}, keep=[KEPT], follow=follow)


@pytest.mark.parametrize(
    ("column", "rule", "why"),
    [
        ("id", SUB, "only a text, a uuid, an array of these, or jsonb with paths can"),
        ("doc", SUB, 'name the "paths" to its subs'),
        ("title", {"column": SUB, "paths": ["$.a"]}, 'only jsonb has "paths"'),
        ("gone", SUB, 'no column is named by "public.wishlists.gone"'),
        ("title", "public.users.sub", "there is no column public.users.sub"),
    ],
)
def test_a_rule_that_cannot_be_followed_is_refused(
    databases: Databases, column: str, rule: object, why: str
) -> None:
    doc = "ALTER TABLE wishlists ADD doc jsonb;"
    pair = databases.pair(USERS + WISHLISTS.format(type="text") + doc)

    with pytest.raises(ConfigurationError) as refused:
        sync(pair, rules=rules(**{f"wishlists.{column}": rule}))

    assert why in str(refused.value)
