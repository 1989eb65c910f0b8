"""A token of IAM is asked for anew for each connection; the server here takes them as passwords."""

import pytest

from common.errors import ConfigurationError
from common.postgres.connection.address import DatabaseAddress
from common.postgres.database import connect
from db_sync.run import SyncOptions
from db_sync.sync import sync_database
from tests.support.databases import Databases, Pair

USER = "token_user"


@pytest.fixture
def pair(databases: Databases) -> Pair:
    """Two databases of a user who has to say the token that was made last."""
    found = databases.pair("CREATE TABLE t (id int PRIMARY KEY)", source="INSERT INTO t VALUES (1)")
    found.target.execute(
        f"DO $$ BEGIN CREATE ROLE {USER} SUPERUSER LOGIN IN ROLE password_users;"
        " EXCEPTION WHEN duplicate_object THEN NULL; END $$"
    )
    return found


def test_each_connection_has_a_token_of_its_own(pair: Pair) -> None:
    made: list[str] = []

    def make_token() -> str:
        made.append(f"token {len(made)}")
        pair.target.execute(f"ALTER ROLE {USER} PASSWORD '{made[-1]}'")
        return made[-1]

    source, target = (
        DatabaseAddress(side.address_as(USER).parameters).with_tokens(make_token) for side in pair
    )
    for _ in range(2):
        sync_database(source, target, SyncOptions("test"))

    assert pair.target.contents() == pair.source.contents()
    assert len(made) == len(set(made)) >= 4


def test_a_token_that_is_refused_is_told_with_what_iam_needs_and_neither_user_nor_token(
    pair: Pair,
) -> None:
    pair.target.execute(f"ALTER ROLE {USER} PASSWORD 'another'")
    address = pair.target.address_as(USER).with_tokens(lambda: "the-token")

    with pytest.raises(ConfigurationError) as refusal:
        connect(address, "target", execution="test")

    said = str(refusal.value)
    assert "GRANT rds_iam TO" in said
    assert "rds-db:connect on exactly that resource_id and username" in said
    assert "the-token" not in said
    assert USER not in said
