"""UpdateDb: what is locked and which rights are needed so that rows follow."""

from typing import Any

import psycopg2
import pytest

from common.errors import ConfigurationError
from common.postgres.locking import locks
from tests.integration.update_db.conftest import MakeStaging, UseDatabase, UseFollow
from tests.integration.update_db.remapping import USERS, PoolUser, Staging, saving

ORDERS = USERS + ";CREATE TABLE orders (buyer int, sub text REFERENCES users (cognito_sub) {})"
# u1's sub changes; u2 has no user in the pool.
ROWS = "INSERT INTO users VALUES (1, 'u1@example.com', 'p-1'), (2, 'u2@example.com', 'p-2');"
ORDERED = ROWS + "INSERT INTO orders VALUES (1, 'p-1'), (1, 'p-1'), (2, 'p-2'), (3, NULL);"
FIRST = PoolUser("u1@example.com", "s-1")


@pytest.mark.parametrize("rows", [ROWS, ROWS + "INSERT INTO orders VALUES (2, 'p-2')"])
def test_readers_are_not_locked_out_if_no_row_follows_by_a_key(
    make_staging: MakeStaging, rows: str
) -> None:
    staging = make_staging(rows, ORDERS.format(""))

    with staging.database.connect() as reader, reader.cursor() as cursor:
        cursor.execute("SELECT FROM users, orders")  # which locks them until its transaction ends
        result = staging.remap(FIRST)
    reader.close()

    assert result.counts == {"updated": 1, "skipped_no_cognito_user": 1}


def test_the_tables_of_a_key_are_locked_in_attempts(
    make_staging: MakeStaging, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[tuple[list[str], str]] = []
    lock = locks.lock_tables

    def noting(target: Any, tables: Any, mode: str) -> None:
        taken.append((list(map(str, tables)), mode))
        lock(target, tables, mode)

    monkeypatch.setattr(locks, "lock_tables", noting)
    staging = make_staging(ORDERED, ORDERS.format(""))

    staging.remap(FIRST)

    both = ["public.orders", "public.users"]
    assert taken == [(both, "EXCLUSIVE"), (both, "ACCESS EXCLUSIVE")]


@pytest.fixture
def staging(make_staging: MakeStaging, use_database: UseDatabase) -> Staging:
    """A staging with orders whose role may read and update the tables, and nothing more."""
    staging = make_staging(ORDERED, ORDERS.format("ON UPDATE CASCADE"))
    staging.database.execute(
        "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'mapper')"
        " THEN CREATE ROLE mapper LOGIN; END IF; END $$;"
        "GRANT SELECT, UPDATE ON users TO mapper; ALTER ROLE mapper NOBYPASSRLS"
    )
    use_database(staging.database, "mapper")
    return staging


@pytest.mark.parametrize("dry_run", [False, True])
def test_a_role_that_may_not_create_a_key_again_is_told_before_anything_is_written(
    staging: Staging, dry_run: bool
) -> None:
    staging.database.execute("GRANT SELECT, UPDATE ON orders TO mapper")
    before = staging.database.contents()

    with pytest.raises(ConfigurationError) as refused:
        staging.remap(FIRST, dry_run=dry_run)

    assert 'ALTER TABLE "public"."orders" OWNER TO "mapper";' in str(refused.value)
    assert 'GRANT REFERENCES ON "public"."users" TO "mapper";' in str(refused.value)
    assert staging.database.contents() == before


def test_a_role_that_owns_what_refers_and_may_refer_to_users_is_enough(staging: Staging) -> None:
    staging.database.execute(
        "ALTER TABLE orders OWNER TO mapper; GRANT REFERENCES ON users TO mapper"
    )

    assert staging.remap(FIRST).output["followers"] == {"public.orders.sub": 2}


def test_a_role_that_may_not_write_to_what_follows_is_told_so(staging: Staging) -> None:
    with pytest.raises(ConfigurationError) as refused:
        staging.remap(FIRST)

    assert 'GRANT SELECT, UPDATE ON "public"."orders" TO "mapper";' in str(refused.value)


def test_nobody_adds_a_row_with_an_old_sub_meanwhile(
    make_staging: MakeStaging, use_follow: UseFollow, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_follow({"public.orders.sub": "public.users.cognito_sub"})
    staging = make_staging(ORDERED, f"{USERS}; CREATE TABLE orders (buyer int, sub text)")
    waited: list[str | None] = []

    def order() -> None:
        connection = psycopg2.connect(staging.database.url, options="-c lock_timeout=100ms")
        with connection.cursor() as cursor:
            try:
                cursor.execute("INSERT INTO orders VALUES (1, 'p-1')")
            except psycopg2.errors.LockNotAvailable as error:
                waited.append(error.pgcode)
        connection.close()

    saving(monkeypatch, order)
    staging.remap(FIRST)

    assert waited == ["55P03"]
