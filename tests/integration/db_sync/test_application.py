"""What the application's functions, constraints and sequences do while a sync writes."""

import os
import subprocess
import sys

import pytest

from common.errors import SchemaMismatch, StagingSyncError, TargetBusy
from common.postgres.waits import Retry, Waits
from db_sync.rules import SyncRules
from tests.integration.db_sync.syncing import assert_same, own_tables, sync
from tests.support.databases import Databases
from tests.support.waiting import wait_until

CHECKED = """
CREATE FUNCTION norm(text) RETURNS text IMMUTABLE LANGUAGE plpgsql AS
    $$ BEGIN RETURN lower($1); END $$;
CREATE FUNCTION ok(text) RETURNS boolean IMMUTABLE LANGUAGE plpgsql AS
    $$ BEGIN RETURN norm($1) <> 'x'; END $$;
CREATE TABLE t (id int PRIMARY KEY, e text CHECK (ok(e)));
CREATE INDEX ON t (norm(e))
"""


def test_checks_and_indexes_find_the_functions_that_they_call(databases: Databases) -> None:
    pair = databases.pair(
        CHECKED,
        source="INSERT INTO t VALUES (1, 'A'), (2, 'B')",
        target="INSERT INTO t VALUES (1, 'old')",
    )

    sync(pair)

    assert_same(pair)


@pytest.mark.parametrize("state", ["insufficient_privilege", "undefined_table"])
def test_errors_do_not_repeat_what_the_applications_code_raises(
    databases: Databases, state: str
) -> None:
    pair = databases.pair("CREATE TABLE t (id int PRIMARY KEY, e text)")
    pair.source.execute("INSERT INTO t VALUES (1, 'ana@example.com')")
    pair.target.execute(
        "CREATE FUNCTION refuse(text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN"
        f" RAISE {state} USING MESSAGE = 'refused ' || $1; END $$;"
        "ALTER TABLE t ADD CHECK (refuse(e))"
    )

    with pytest.raises(StagingSyncError) as refusal:
        sync(pair)

    assert "ana@" not in str(refusal.value)


def test_a_connection_lost_during_a_copy_shows_no_row(databases: Databases) -> None:
    pair = databases.pair("CREATE TABLE t (id int PRIMARY KEY, e text)")
    pair.source.execute(
        "INSERT INTO t SELECT i, 'ana' || i || '@example.com' FROM generate_series(1, 3000) i"
    )
    pair.target.execute(
        "CREATE FUNCTION slow(text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS"
        " $$ BEGIN PERFORM pg_sleep(0.01); RETURN true; END $$; CREATE INDEX ON t (slow(e))"
    )
    command = subprocess.Popen(  # noqa: S603  # our own command
        [
            *(sys.executable, "-m", "db_sync"),
            *("--source", pair.source.url, "--target", pair.target.url),
        ],
        env=os.environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    copying = "SELECT pid FROM pg_stat_progress_copy WHERE datname = current_database()"
    wait_until(lambda: pair.target.rows(copying), "rows are copied")
    pair.target.execute(f"SELECT pg_terminate_backend(pid) FROM ({copying}) AS found")
    shown = command.communicate(timeout=30)

    assert command.returncode == 1
    assert shown[1].startswith("DatabaseUnavailable: ")
    assert "@example.com" not in "".join(shown)
    assert pair.target.value("SELECT count(*) FROM t") == 0


@pytest.mark.parametrize(
    "constraint",
    ["UNIQUE (e) DEFERRABLE INITIALLY DEFERRED", "EXCLUDE USING btree (e WITH =) DEFERRABLE"],
)
def test_a_deferrable_constraint_that_production_lacks_is_still_checked(
    databases: Databases, constraint: str
) -> None:
    pair = databases.pair(
        "CREATE TABLE t (id int PRIMARY KEY, e text)",
        source="INSERT INTO t VALUES (1, 'x'), (2, 'x')",
    )
    pair.target.execute(f"ALTER TABLE t ADD CONSTRAINT once {constraint}")

    with pytest.raises(SchemaMismatch, match="constraint once"):
        sync(pair)

    assert pair.target.value("SELECT count(*) FROM t") == 0


def test_a_kept_column_that_is_a_foreign_key_is_checked(databases: Databases) -> None:
    pair = databases.pair(
        "CREATE TABLE a (id int PRIMARY KEY);"
        "CREATE TABLE b (id int PRIMARY KEY, a_id int REFERENCES a)",
        source="INSERT INTO a VALUES (1); INSERT INTO b VALUES (1, 1)",
        target="INSERT INTO a VALUES (2); INSERT INTO b VALUES (1, 2)",
    )

    with pytest.raises(SchemaMismatch, match=r"1 rows of public\.b break"):
        sync(pair, rules=SyncRules.parse('{"keep": ["public.b.a_id"]}'))


def test_databases_with_different_encodings_are_refused(databases: Databases) -> None:
    pair = databases.pair("CREATE TABLE t (id int PRIMARY KEY)")
    name = pair.target.name
    pair.target.server.execute("postgres", f"DROP DATABASE {name}")
    pair.target.server.execute(
        "postgres",
        f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'",
    )
    pair.target.mark()

    with pytest.raises(SchemaMismatch, match=r"encoded in UTF8 and the target .* in LATIN1"):
        sync(pair)


def test_arrays_of_strings_are_not_truncated(databases: Databases) -> None:
    pair = databases.pair("CREATE TABLE t (id int PRIMARY KEY, v varchar(10)[])")
    pair.source.execute("INSERT INTO t VALUES (1, '{abcdefgh}')")
    pair.target.execute("ALTER TABLE t ALTER v TYPE varchar(3)[]")

    with pytest.raises(SchemaMismatch, match="StringDataRightTruncation"):
        sync(pair)


def test_a_sequence_follows_that_of_its_column_whatever_its_name(databases: Databases) -> None:
    pair = databases.pair("CREATE TABLE t (id serial PRIMARY KEY)")
    pair.source.execute(
        "ALTER SEQUENCE t_id_seq RENAME TO t_id_seq1; SELECT setval('t_id_seq1', 41)"
    )
    pair.target.execute("CREATE SEQUENCE lonely")

    result = sync(pair)

    assert pair.target.value("SELECT nextval('t_id_seq')") == 42
    assert result.warnings == (
        "Sequence public.lonely is left as it is: the source has no matching sequence.",
    )


def test_a_sequence_in_use_makes_the_target_busy(databases: Databases) -> None:
    pair = databases.pair("CREATE TABLE t (id serial PRIMARY KEY)")
    pair.source.execute("SELECT setval('t_id_seq', 41)")
    user = pair.target.connect()
    with user.cursor() as cursor:
        cursor.execute("SELECT nextval('t_id_seq')")

    with pytest.raises(TargetBusy):
        sync(pair, waits=Waits(table_locks=Retry(1.0, pause=0.3)))

    user.close()


@pytest.mark.parametrize("index", ["UNIQUE (tenant, sub)", "UNIQUE (id) INCLUDE (sub)"])
def test_kept_values_without_a_conflict_stay(databases: Databases, index: str) -> None:
    pair = databases.pair(
        f"CREATE TABLE users (id int PRIMARY KEY, tenant int, sub text NOT NULL, {index})",
        source="INSERT INTO users VALUES (1, 1, 'a'), (2, 2, 'a')",
        target="INSERT INTO users VALUES (1, 1, 'a')",
    )

    sync(pair, rules=SyncRules.parse('{"keep": ["public.users.sub"]}'))

    assert pair.target.rows("SELECT id, sub FROM users ORDER BY id") == [(1, "a"), (2, "a")]


def test_a_role_that_owns_the_tables_can_replace_and_merge_them(databases: Databases) -> None:
    pair = databases.pair(
        "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (id int PRIMARY KEY, p_id int"
        " REFERENCES p); CREATE TABLE log (line text)",
        source="INSERT INTO p SELECT i FROM generate_series(1, 100) i;"
        "INSERT INTO c SELECT i, i FROM generate_series(1, 100) i; INSERT INTO log VALUES ('new')",
        target="INSERT INTO p VALUES (500); INSERT INTO c VALUES (1, 500);"
        "INSERT INTO log VALUES ('old')",
    )

    sync(pair, target=own_tables(pair, "table_owner"))

    assert_same(pair)
