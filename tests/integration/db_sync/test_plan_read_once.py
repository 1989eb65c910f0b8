"""A catalog that cannot have changed since it was read is not read again under the locks."""

import contextlib
from collections.abc import Iterator

import pytest

from common.postgres.database import Session, connect
from common.postgres.settings.transaction_settings import REPEATABLE_READ
from db_sync.plan.catalog import Catalog
from db_sync.plan.snapshot import read_again, read_first
from sandbox.database import Database
from sandbox.postgres import temporary_server
from tests.support.databases import Databases

SCHEMA = "CREATE TABLE t (id int PRIMARY KEY, v text); CREATE ROLE reader_of_t"


@pytest.fixture(scope="module")
def quiet_server() -> Iterator[Databases]:
    """A server on which nothing runs but the tests' own statements."""
    with temporary_server(settings={"autovacuum": "off"}) as server:
        yield Databases(server)


@pytest.fixture(scope="module")
def quiet(quiet_server: Databases) -> Database:
    return quiet_server.make(SCHEMA)


@pytest.fixture
def session(quiet: Database) -> Iterator[Session]:
    with connect(quiet.address, "source", execution="test") as session:
        yield session


def first(session: Session) -> Catalog:
    with session.transaction():
        return read_first(session)


def again(session: Session, known: Catalog) -> Catalog:
    session.begin(REPEATABLE_READ)
    catalog = read_again(session, known)
    session.rollback()
    return catalog


def test_it_is_not_read_again_if_nobody_committed(quiet: Database, session: Session) -> None:
    known = first(session)
    quiet.rows("SELECT * FROM t")

    assert again(session, known) is known


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE t ADD w int",
        "CREATE INDEX ON t (v)",
        "GRANT SELECT ON t TO reader_of_t",
        "ALTER TABLE t ENABLE ROW LEVEL SECURITY",
        "ALTER ROLE reader_of_t SET search_path = 'elsewhere'",
        "INSERT INTO t VALUES (1, 'a')",
    ],
)
def test_it_is_read_again_after_any_commit(quiet: Database, session: Session, change: str) -> None:
    known = first(session)
    quiet.execute(change)

    assert again(session, known) is not known


@pytest.mark.parametrize("is_oldest", [True, False])
def test_a_migration_that_was_active_at_the_first_reading_is_found(
    quiet: Database, session: Session, is_oldest: bool
) -> None:
    with (
        contextlib.closing(quiet.connect()) as migration,
        contextlib.closing(quiet.connect()) as other,
        migration.cursor() as migrating,
        other.cursor() as working,
    ):
        one, two = (migrating, working) if is_oldest else (working, migrating)
        for cursor in (one, two):
            cursor.execute("SELECT pg_current_xact_id()")
        migrating.execute(f"CREATE TABLE of_migration_{is_oldest} ()")
        known = first(session)
        migration.commit()

        found = again(session, known)
        other.rollback()

    assert f"of_migration_{is_oldest}".lower() in {name.name for name in found.tables}
