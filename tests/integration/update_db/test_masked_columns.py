"""UpdateDb: masked addresses in columns of any type, and a key that no log of staging shows."""

from collections.abc import Callable

import pytest

from common.errors import ConfigurationError
from common.masking.keys import MaskKey
from sandbox.database import Database
from sandbox.postgres import temporary_server
from tests.integration.update_db.conftest import MakeStaging, UseMask
from tests.integration.update_db.remapping import USERS, PoolUser, Staging
from tests.support.databases import Databases
from tests.support.masked_emails import KEY, as_compared, masked

DOMAINS = """
CREATE DOMAIN address AS varchar(40);
CREATE DOMAIN checked_address AS address CHECK (VALUE <> '');
CREATE DOMAIN any_address AS varchar;
"""
ANA = "Ana@x.org"


def table(of_type: str) -> str:
    return f"{DOMAINS} CREATE TABLE users (id int, email {of_type}, cognito_sub text)"


@pytest.mark.parametrize(
    ("of_type", "digits"),
    [
        ("varchar(35)", 12),
        ("varchar(46)", 23),
        ("varchar(47)", 24),
        ("varchar(48)", 24),
        ("varchar(320)", 24),
        ("varchar", 24),
        ("char(40)", 17),
        ("char(60)", 24),
        ("address", 17),
        ("checked_address", 17),
        ("any_address", 24),
    ],
)
def test_people_are_found_in_a_column_of_any_length(
    make_staging: MakeStaging, use_mask: UseMask, of_type: str, digits: int
) -> None:
    use_mask("email")
    in_staging = masked(ANA, digits=digits)
    staging = make_staging(f"INSERT INTO users VALUES (1, '{in_staging}', 'p-1')", table(of_type))

    result = staging.remap(PoolUser("ana@X.org", "s-ana"))

    assert staging.subs() == {1: "s-ana"}
    assert [line.email for line in result.lines] == [as_compared(ANA, digits=digits)]


@pytest.mark.parametrize("of_type", ["varchar(34)", "char(10)", "varchar(1)"])
def test_a_column_that_is_too_short_for_masked_addresses_is_refused(
    make_staging: MakeStaging, use_mask: UseMask, of_type: str
) -> None:
    use_mask("email")
    staging = make_staging("", table(of_type))

    with pytest.raises(ConfigurationError, match="too short for a masked address, which has 35"):
        staging.remap(PoolUser(ANA, "s-ana"))


def test_a_short_column_is_long_enough_where_no_address_is_masked(
    make_staging: MakeStaging,
) -> None:
    staging = make_staging("INSERT INTO users VALUES (1, 'ana@x.org', NULL)", table("varchar(10)"))

    staging.remap(PoolUser(ANA, "s-ana"))

    assert staging.subs() == {1: "s-ana"}


def test_people_are_found_in_a_column_that_ignores_case(
    make_staging: MakeStaging, use_mask: UseMask, system_databases: Databases
) -> None:
    use_mask("email")
    staging = make_staging(
        f"INSERT INTO users VALUES (1, '{as_compared(ANA)}', 'p-1'), (2, 'Tester@x.org', 'p-2')",
        "CREATE EXTENSION citext;"
        "CREATE TABLE users (id int, email citext UNIQUE, cognito_sub citext UNIQUE)",
        on=system_databases,
    )

    staging.remap(PoolUser("ANA@x.org", "s-ana"), PoolUser("tester@x.org", "s-tester"))

    assert staging.subs() == {1: "s-ana", 2: "s-tester"}


def test_people_are_found_in_a_column_whose_collation_is_not_deterministic(
    make_staging: MakeStaging, use_mask: UseMask, system_databases: Databases
) -> None:
    use_mask({"with": "email", "keep_domains": ["team.example"]})
    staging = make_staging(
        f"INSERT INTO users VALUES (1, '{masked(ANA)}', 'p-1'), (2, 'Dev@team.example', 'p-2')",
        "CREATE COLLATION any_case"
        " (provider = icu, locale = 'und-u-ks-level2', deterministic = false);"
        "CREATE TABLE users (id int, email text COLLATE any_case, cognito_sub text)",
        on=system_databases,
    )

    staging.remap(PoolUser("ANA@x.org", "s-ana"), PoolUser("dev@team.example", "s-dev"))

    assert staging.subs() == {1: "s-ana", 2: "s-dev"}


def test_neither_the_key_nor_an_address_is_in_a_statement_that_the_server_logs(
    make_staging: MakeStaging,
    use_mask: UseMask,
    use_database: Callable[[Database], None],
) -> None:
    made = make_staging()
    use_mask("email")
    with temporary_server(settings={"log_statement": "all"}) as server:
        database = Databases(server).make(USERS, "INSERT INTO users VALUES (1, NULL, 'p-1')")
        database.mark()
        use_database(database)

        Staging(database, made.s3, made.exchange).remap(PoolUser("somebody@x.org", "s-ana"))

        log = (server.socket_dir / "server.log").read_text()
    assert "staging_sync.mask_keys" in log
    for secret in (KEY, MaskKey(KEY).of_kind("email").hex(), "somebody@x.org"):
        assert secret not in log
