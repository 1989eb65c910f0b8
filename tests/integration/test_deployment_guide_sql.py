"""The guide's SQL, run by a master user like RDS's, which is no superuser and owns no table.

RDS's master has CREATEROLE and CREATEDB, and never SUPERUSER:
https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.MasterAccounts.html
"""

import os
import shutil
import subprocess
from collections.abc import Iterator

import pytest

from db_sync.run import SyncOptions
from db_sync.sync import sync_database
from sandbox.database import Database
from sandbox.postgres import EmbeddedPostgres, temporary_server
from tests.integration.db_sync.syncing import assert_same
from tests.support.databases import Pair, system_programs
from tests.support.pages import Block, all_blocks, read_page

GUIDE = read_page("deployment.md")
DATABASES = {"production": "shop", "staging": "shop_staging"}
# As the application's migrations make them.
TABLES = """
CREATE TABLE users (id serial PRIMARY KEY, email text);
CREATE TABLE orders (id serial PRIMARY KEY, user_id int REFERENCES users);
"""
ROLES_MADE = "2. A role in each database"
LATER = "CREATE TABLE invoices (id serial PRIMARY KEY, total numeric)"
ROLES = "SELECT rolname FROM pg_roles WHERE rolname LIKE 'staging_sync%'"


def sql_of(section: str) -> list[Block]:
    """Return the blocks of SQL in a section of the guide."""
    return [b for b in all_blocks(GUIDE) if b.section == section and b.language == "sql"]


@pytest.fixture(scope="module", params=["15 of the system", "18 of the wheel"])
def rds(request: pytest.FixtureRequest) -> Iterator[EmbeddedPostgres]:
    """A server with a master like RDS's, who has made the application's owner."""
    if request.param.startswith("15"):
        programs = system_programs()
        if programs is None:
            pytest.skip("needs the system's PostgreSQL (on Debian: apt-get install postgresql)")
        starting = temporary_server(bin_dir=programs)
    else:
        starting = temporary_server(version=18)
    with starting as server:
        server.execute(
            "postgres", "CREATE ROLE master LOGIN NOSUPERUSER CREATEROLE CREATEDB NOBYPASSRLS"
        )
        as_master(server, "postgres", "CREATE ROLE shop_owner LOGIN")
        yield server


@pytest.fixture(params=["shop_owner", "master"])
def pair(request: pytest.FixtureRequest, rds: EmbeddedPostgres) -> Iterator[Pair]:
    """Production and staging, which belong to the owner of the tables, or to the master."""
    for name in DATABASES.values():
        rds.execute("postgres", f"CREATE DATABASE {name} OWNER {request.param}")
        # What RDS does for the application's owner, and PUBLIC may not since PostgreSQL 15.
        rds.execute(name, "GRANT CREATE ON SCHEMA public TO shop_owner")
        rds.execute(name, f"SET ROLE shop_owner; {TABLES}")
    found = Pair(*(Database(rds, name) for name in DATABASES.values()))
    found.source.execute("INSERT INTO users (email) VALUES ('a@x.test'), ('b@x.test')")
    found.source.execute("INSERT INTO orders (user_id) VALUES (2)")
    yield found
    for name in DATABASES.values():
        rds.execute("postgres", f"DROP DATABASE {name} WITH (FORCE)")
    rds.execute("postgres", "DROP ROLE IF EXISTS staging_sync_reader, staging_sync_writer")
    psql(rds, "postgres", "REVOKE shop_owner FROM CURRENT_USER")


def as_master(server: EmbeddedPostgres, database: str, sql: str) -> None:
    """Run SQL as the master. A warning fails too: a GRANT that grants nothing only warns."""
    done = psql(server, database, sql)
    assert (done.returncode, done.stderr) == (0, ""), sql


def psql(server: EmbeddedPostgres, database: str, sql: str) -> subprocess.CompletedProcess[str]:
    """Run SQL as the master by psql, which stops at the first error."""
    path = f"{server.bin_dir}{os.pathsep}{os.environ['PATH']}"
    url = server.url(database, "master")
    return subprocess.run(  # noqa: S603  # every argument is ours
        [shutil.which("psql", path=path) or "psql", "-XtA", "-v", "ON_ERROR_STOP=1", "-d", url],
        input=sql,
        # Both databases lie on one server, where the second membership is a mere notice.
        env={"PATH": path, "PGOPTIONS": "-c client_min_messages=warning"},
        capture_output=True,
        text=True,
        check=False,
    )


def follow(server: EmbeddedPostgres, section: str) -> None:
    """Run a section's SQL in the databases that it is for, but for what not each master may."""
    for block in sql_of(section):
        if "ON PARAMETER" not in block.text:
            as_master(server, DATABASES[block.label], block.text)


def sync(pair: Pair) -> None:
    sync_database(
        pair.source.address_as("staging_sync_reader"),
        pair.target.address_as("staging_sync_writer"),
        SyncOptions("guide"),
    )


def test_the_master_makes_both_roles_and_with_them_everything_is_synced(
    rds: EmbeddedPostgres, pair: Pair
) -> None:
    follow(rds, ROLES_MADE)

    sync(pair)

    assert_same(pair)


def test_tables_that_later_migrations_create_are_read_too(
    rds: EmbeddedPostgres, pair: Pair
) -> None:
    follow(rds, ROLES_MADE)
    for side in pair:
        side.execute(f"SET ROLE shop_owner; {LATER}")
    pair.source.execute("INSERT INTO invoices (total) VALUES (1.50)")

    sync(pair)

    assert_same(pair)


def test_the_reader_writes_nothing_and_the_writer_reaches_staging_alone(
    rds: EmbeddedPostgres, pair: Pair
) -> None:
    follow(rds, ROLES_MADE)

    may_write = "has_table_privilege('staging_sync_reader', 'users', 'INSERT,UPDATE,DELETE')"
    assert pair.source.value(f"SELECT {may_write}") is False
    assert pair.target.value("SELECT pg_has_role('staging_sync_writer', 'shop_owner', 'USAGE')")


def test_the_master_takes_everything_away_again(rds: EmbeddedPostgres, pair: Pair) -> None:
    before = [side.schema() for side in pair]
    follow(rds, ROLES_MADE)

    follow(rds, "Removing it")

    assert pair.source.rows(ROLES) == []
    assert [side.schema() for side in pair] == before
    mark = "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s"
    assert pair.target.rows(mark, ["shop_staging"]) == [(None,)]


def test_the_policy_of_the_guide_shows_the_reader_every_row_and_the_master_may_make_it(
    rds: EmbeddedPostgres, pair: Pair
) -> None:
    follow(rds, ROLES_MADE)
    pair.source.execute("ALTER TABLE users ENABLE ROW LEVEL SECURITY")

    follow(rds, "Row level security")
    sync(pair)

    assert pair.target.rows("SELECT email FROM users ORDER BY id") == [("a@x.test",), ("b@x.test",)]


@pytest.mark.parametrize(
    ("given", "was_granted"), [("WITH GRANT OPTION", "t"), ("", "f"), (None, "f")]
)
def test_whether_the_parameter_was_granted_is_printed_where_the_grant_is_refused_or_only_warns(
    rds: EmbeddedPostgres, pair: Pair, given: str | None, was_granted: str
) -> None:
    follow(rds, ROLES_MADE)
    (block,) = (each for each in sql_of(ROLES_MADE) if "ON PARAMETER" in each.text)
    right = "SET ON PARAMETER session_replication_role"
    if given is not None:
        pair.target.execute(f"GRANT {right} TO master {given}")

    done = psql(rds, DATABASES[block.label], f"\\set ON_ERROR_STOP off\n{block.text}")
    pair.target.execute(f"REVOKE {right} FROM master CASCADE")

    assert done.stdout.splitlines()[-1] == was_granted
    assert (done.stderr == "") is (was_granted == "t")
