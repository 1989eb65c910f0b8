"""Settings of a database do not change what a sync does."""

import os
import shutil
import threading
from collections.abc import Iterator

import pytest

from common.errors import ConfigurationError
from sandbox.database import Database
from tests.integration.db_sync.syncing import assert_same, own_tables, sync
from tests.support.databases import Databases, Pair
from tests.support.waiting import wait_until

SCHEMA = """
CREATE TABLE parents (id int PRIMARY KEY, born date, at timestamptz, code text UNIQUE);
CREATE TABLE children (
    id int PRIMARY KEY, parent int REFERENCES parents, words text[], data bytea, part float8
);
CREATE INDEX ON children (parent);
"""
ROWS = r"""
INSERT INTO parents SELECT n, date '2026-02-01' + n, '2026-07-01 12:00+02', 'c' || n
    FROM generate_series(1, 20) n;
INSERT INTO children SELECT n, n, ARRAY['NULL', NULL, 'a\b'], '\x00ff', 0.1::float8 * n
    FROM generate_series(1, 20) n;
"""
SETTINGS = {
    "array_nulls": "off",
    "bytea_output": "escape",
    "check_function_bodies": "off",
    "client_encoding": "LATIN1",
    "DateStyle": "SQL, DMY",
    "default_transaction_deferrable": "on",
    "default_transaction_isolation": "serializable",
    "default_transaction_read_only": "on",
    "enable_seqscan": "off",
    "exit_on_error": "on",
    "extra_float_digits": "-3",
    "IntervalStyle": "sql_standard",
    "lock_timeout": "1",
    "quote_all_identifiers": "on",
    "row_security": "on",
    "search_path": "hostile, pg_catalog",
    "standard_conforming_strings": "off",
    "synchronous_commit": "off",
    "TimeZone": "Asia/Kathmandu",
    "transform_null_equals": "on",
    "xmloption": "document",
}
# These would be used if our statements named something without its schema.
HOSTILE = """
CREATE SCHEMA hostile;
CREATE VIEW hostile.pg_settings AS SELECT 'nothing'::text AS name, 'x'::text AS setting;
CREATE FUNCTION hostile.set_config(text, text, boolean) RETURNS text
    LANGUAGE sql AS 'SELECT (1/0)::text';
CREATE FUNCTION hostile.lower(text) RETURNS text LANGUAGE sql AS 'SELECT NULL::text';
GRANT USAGE ON SCHEMA hostile TO PUBLIC;
"""


@pytest.fixture
def pair(databases: Databases) -> Pair:
    return databases.pair(f"{SCHEMA}; {HOSTILE}", source=ROWS)


def set_on(database: Database, setting: str, value: str) -> None:
    text = value if setting == "search_path" else f"'{value}'"
    database.server.execute("postgres", f"ALTER DATABASE {database.name} SET {setting} = {text}")


@pytest.mark.parametrize("setting", SETTINGS)
def test_a_setting_of_the_databases_has_no_effect(pair: Pair, setting: str) -> None:
    for database in pair:
        set_on(database, setting, SETTINGS[setting])

    result = sync(pair)

    assert (result.status, result.warnings) == ("synced", ())
    for database in pair:
        database.server.execute("postgres", f"ALTER DATABASE {database.name} RESET {setting}")
    assert_same(pair)


def test_all_settings_together_have_no_effect_for_a_plain_owner(pair: Pair) -> None:
    target = own_tables(pair, "table_owner")
    for database in pair:
        for setting, value in SETTINGS.items():
            set_on(database, setting, value)

    results = [sync(pair, target=target) for _ in range(2)]

    assert [result.status for result in results] == ["synced", "unchanged"]
    for database in pair:
        database.server.execute("postgres", f"ALTER DATABASE {database.name} RESET ALL")
    assert_same(pair)


@pytest.fixture
def elsewhere(databases: Databases) -> Iterator[str]:
    """A tablespace in which no database is."""
    server = databases.make().server
    directory = server.socket_dir.with_name("elsewhere")  # the server's user may go there
    directory.mkdir(mode=0o700)
    os.chown(directory, server.socket_dir.stat().st_uid, server.socket_dir.stat().st_gid)
    server.execute("postgres", f"CREATE TABLESPACE elsewhere LOCATION '{directory}'")
    yield "elsewhere"
    databases.drop_all()
    server.execute("postgres", "DROP TABLESPACE elsewhere")
    shutil.rmtree(directory)


def test_tables_and_indexes_keep_their_tablespace_whatever_the_default_is(
    databases: Databases, elsewhere: str
) -> None:
    schema = "CREATE TABLE t (id int PRIMARY KEY, v text); CREATE INDEX ON t (v);"
    many = "INSERT INTO t SELECT n, n::text FROM generate_series(1, 10100) n; ANALYZE t"
    pair = databases.pair(schema, source=many)  # so many that their indexes are built anew
    set_on(pair.target, "default_tablespace", elsewhere)
    set_on(pair.target, "temp_tablespaces", elsewhere)

    assert sync(pair).status == "synced"
    pair.source.execute("UPDATE t SET v = 'other' WHERE id = 7")  # through temporary tables
    assert sync(pair).status == "synced"

    moved = "SELECT relname FROM pg_class WHERE reltablespace <> 0 AND NOT relisshared"
    assert pair.target.rows(moved) == []
    pair.target.server.execute("postgres", f"ALTER DATABASE {pair.target.name} RESET ALL")
    assert_same(pair)


def test_session_replication_role_as_a_databases_setting_does_not_hide_orphans(pair: Pair) -> None:
    pair.source.execute(
        "SET session_replication_role = replica; INSERT INTO children (id, parent) VALUES (99, 99)"
    )
    pair.target.execute("ALTER TABLE children DROP CONSTRAINT children_parent_fkey;")
    pair.target.execute("ALTER TABLE children ADD FOREIGN KEY (parent) REFERENCES parents (id)")
    set_on(pair.target, "session_replication_role", "replica")

    warnings = sync(pair).warnings

    assert any("children_parent_fkey" in warning for warning in warnings)


def test_a_plain_owner_under_replica_is_refused_with_the_statement_to_run(pair: Pair) -> None:
    target = own_tables(pair, "table_owner")
    set_on(pair.target, "session_replication_role", "replica")

    with pytest.raises(ConfigurationError, match="session_replication_role") as refused:
        sync(pair, target=target)

    assert f"ALTER DATABASE {pair.target.name} RESET" in str(refused.value).replace('"', "")
    assert pair.target.value("SELECT count(*) FROM parents") == 0


def test_a_table_that_production_truncates_and_fills_while_its_lock_is_waited_for_is_complete(
    pair: Pair,
) -> None:
    """A snapshot that is older than the lock would see the truncated table as empty."""
    sync(pair)
    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND mode = 'AccessShareLock'"
    other = pair.source.connect()
    cursor = other.cursor()
    cursor.execute("BEGIN; TRUNCATE children")

    def fill_again() -> None:
        wait_until(lambda: pair.source.value(waiting), "the sync waits for the lock")
        cursor.execute(f"{ROWS.split(';')[1]}; COMMIT")

    filling = threading.Thread(target=fill_again)
    filling.start()
    sync(pair)
    filling.join()
    other.close()

    assert pair.target.value("SELECT count(*) FROM children") == 20
    assert_same(pair)
