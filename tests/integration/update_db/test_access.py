"""UpdateDb: row-level security is obeyed, never worked around; and who only reads goes on."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import psycopg2
import pytest

from common.errors import ConfigurationError
from common.postgres.waits import Retry, Waits
from sandbox.database import Database
from tests.integration.update_db.conftest import MakeStaging
from tests.integration.update_db.remapping import PoolUser, Staging, saving

JANE = PoolUser("jane@example.com", "staging-1")
JOE = PoolUser("joe@example.com", "staging-2")
PEOPLE = """
INSERT INTO users VALUES (1, 'jane@example.com', 'production-1'), (2, 'joe@example.com', 'p-2')
"""
# Who is not exempt from it sees Jane alone.
SECURED = """
ALTER TABLE users ENABLE ROW LEVEL SECURITY;
CREATE POLICY jane ON users USING (id = 1);
"""


@pytest.fixture
def staging(make_staging: MakeStaging) -> Staging:
    return make_staging(PEOPLE)


@pytest.fixture
def use_role(
    staging: Staging, use_database: Callable[[Database, str], None]
) -> Callable[[str], None]:
    """Let the Lambda log in as a role, which is created with these attributes."""

    def use(attributes: str) -> None:
        staging.database.execute(
            "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'mapper')"
            f" THEN CREATE ROLE mapper LOGIN; END IF; END $$; ALTER ROLE mapper {attributes}"
        )
        use_database(staging.database, "mapper")

    return use


def test_the_owner_of_a_table_with_policies_sees_every_user(
    staging: Staging, use_role: Callable[[str], None]
) -> None:
    use_role("NOBYPASSRLS")
    staging.database.execute(f"{SECURED} ALTER TABLE users OWNER TO mapper")

    result = staging.remap(JANE, JOE)

    assert staging.subs() == {1: "staging-1", 2: "staging-2"}
    assert result.counts == {"updated": 2}


def test_a_role_that_no_policy_binds_sees_every_user(
    staging: Staging, use_role: Callable[[str], None]
) -> None:
    use_role("BYPASSRLS")
    staging.database.execute(f"{SECURED} GRANT SELECT, UPDATE ON users TO mapper")

    assert staging.remap(JANE, JOE).counts == {"updated": 2}


@pytest.mark.parametrize(
    "bound",
    [
        "GRANT SELECT, UPDATE ON users TO mapper",
        "ALTER TABLE users OWNER TO mapper; ALTER TABLE users FORCE ROW LEVEL SECURITY",
    ],
)
@pytest.mark.parametrize("dry_run", [False, True])
def test_a_policy_that_would_hide_users_is_an_error(
    staging: Staging, use_role: Callable[[str], None], bound: str, dry_run: bool
) -> None:
    use_role("NOBYPASSRLS")
    staging.database.execute(f"{SECURED} {bound}")
    before = staging.row_versions()

    with pytest.raises(ConfigurationError, match="row-level security policy"):
        staging.remap(JANE, JOE, dry_run=dry_run)

    assert staging.row_versions() == before


@contextlib.contextmanager
def connected(staging: Staging) -> Iterator[Any]:
    """Connect as an application that waits for nobody longer than a second."""
    connection = psycopg2.connect(staging.database.url, options="-c lock_timeout=1s")
    try:
        with connection.cursor() as cursor:
            yield cursor
    finally:
        connection.close()


def test_people_log_in_while_the_remap_runs(
    staging: Staging, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[Any] = []

    def log_in() -> None:
        with connected(staging) as cursor:
            cursor.execute("SELECT cognito_sub FROM users WHERE email = 'jane@example.com'")
            found.extend(cursor.fetchone())

    # When all is written and nothing committed.
    saving(monkeypatch, log_in)
    staging.remap(JANE)

    assert found == ["production-1"]
    assert staging.subs()[1] == "staging-1"


def test_somebody_who_reads_for_long_does_not_hold_the_remap_up(staging: Staging) -> None:
    impatient = replace(staging, waits=Waits(table_locks=Retry(0.0, pause=0.0)))
    with connected(staging) as cursor:
        cursor.execute("SELECT count(*) FROM users")

        remapped = impatient.remap(JANE)

    assert remapped.counts == {"updated": 1, "skipped_no_cognito_user": 1}


def test_whoever_writes_waits_until_the_remap_is_through(
    staging: Staging, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[bool] = []

    def sign_up() -> None:
        with connected(staging) as cursor:
            try:
                cursor.execute("INSERT INTO users VALUES (3, 'jane@example.com', 'p-3')")
            except psycopg2.errors.LockNotAvailable:
                waited.append(True)

    saving(monkeypatch, sign_up)
    staging.remap(JANE)

    assert waited == [True]
