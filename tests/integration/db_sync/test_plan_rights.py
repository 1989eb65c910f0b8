"""Rights that a role lacks: reported before anything is done, all at once."""

import pytest

from common.errors import ConfigurationError
from db_sync.rules import SyncRules
from tests.integration.db_sync.roles import run_statements_in, sync_as
from tests.integration.db_sync.syncing import assert_same
from tests.support.databases import Databases

TABLES = """
CREATE TABLE a (id int PRIMARY KEY, v text);
CREATE TABLE "B" (id int PRIMARY KEY);
CREATE SCHEMA shut;
CREATE TABLE shut.c (id serial PRIMARY KEY);
"""
ROWS = """
INSERT INTO a VALUES (1, 'one');
INSERT INTO "B" VALUES (1);
INSERT INTO shut.c VALUES (1);
"""
ONE_TABLE = "CREATE TABLE a (id int PRIMARY KEY)"
ONE_ROW, OTHER_ROW = "INSERT INTO a VALUES (1)", "INSERT INTO a VALUES (2)"


def test_a_source_role_needs_connect_usage_and_select_only(databases: Databases, role: str) -> None:
    pair = databases.pair(TABLES, source=ROWS)
    pair.source.execute(
        f"""
        REVOKE ALL ON DATABASE {pair.source.name} FROM PUBLIC;
        REVOKE ALL ON SCHEMA public FROM PUBLIC;
        GRANT CONNECT ON DATABASE {pair.source.name} TO {role};
        GRANT USAGE ON SCHEMA public, shut TO {role};
        GRANT SELECT ON ALL TABLES IN SCHEMA public, shut TO {role};
        GRANT SELECT ON ALL SEQUENCES IN SCHEMA public, shut TO {role};
        """
    )

    result = sync_as(pair, source=role)

    assert_same(pair)
    assert result.warnings == ()


def test_every_table_that_the_source_role_may_not_read_is_named_with_the_grants(
    databases: Databases, role: str
) -> None:
    pair = databases.pair(TABLES, source=ROWS)

    with pytest.raises(ConfigurationError) as refusal:
        sync_as(pair, source=role)

    message = str(refusal.value)
    assert "The source role plain may not read public.B, public.a, shut.c." in message
    run_statements_in(refusal.value, pair.source)
    pair.source.execute(f"GRANT SELECT ON SEQUENCE shut.c_id_seq TO {role}")
    sync_as(pair, source=role)
    assert_same(pair)


def test_rights_on_tables_that_are_not_synced_are_not_needed(
    databases: Databases, role: str
) -> None:
    pair = databases.pair(
        "CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE alembic_version (v int);"
        "CREATE TABLE audit_log (v int)",
        source="INSERT INTO a VALUES (1); CREATE TABLE only_here (id int)",
    )
    for database in pair:
        database.execute(f"ALTER TABLE a OWNER TO {role}")

    sync_as(
        pair,
        source=role,
        target=role,
        rules=SyncRules.parse('{"exclude": ["public.audit_log"]}'),
    )

    assert pair.target.rows("TABLE a") == [(1,)]


def test_missing_rights_are_reported_together_with_mismatches_of_the_schemas(
    databases: Databases, role: str
) -> None:
    pair = databases.pair("CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (v text)")
    pair.source.execute("ALTER TABLE b ALTER v TYPE bytea USING NULL")
    pair.target.execute("ALTER TABLE b ALTER v TYPE int USING NULL")

    with pytest.raises(ConfigurationError) as refusal:
        sync_as(pair, source=role, target=role, rules=SyncRules.parse('{"exclude": ["x.y"]}'))

    for named in (
        'table x.y of the "exclude" rule',
        "source role plain may not read public.a, public.b",
        "target role plain may not write public.a, public.b",
        "column public.b.v is bytea in the source and integer in the target",
    ):
        assert named in str(refusal.value)


@pytest.mark.parametrize("granted", ["", "SELECT", "SELECT, INSERT, UPDATE"])
def test_every_table_that_the_target_role_may_not_write_is_named_with_the_statements(
    databases: Databases, role: str, granted: str
) -> None:
    pair = databases.pair(TABLES, source=ROWS)
    if granted:
        pair.target.execute(f"GRANT {granted} ON ALL TABLES IN SCHEMA public, shut TO {role}")

    with pytest.raises(ConfigurationError) as refusal:
        sync_as(pair, target=role)

    message = str(refusal.value)
    assert "The target role plain may not write public.B, public.a, shut.c;" in message
    run_statements_in(refusal.value, pair.target)
    sync_as(pair, target=role)
    assert_same(pair)


def test_the_target_role_must_own_a_child_that_is_not_synced_too(
    databases: Databases, role: str
) -> None:
    pair = databases.pair(ONE_TABLE, source=ONE_ROW)
    pair.target.execute(
        f"ALTER TABLE a OWNER TO {role}; CREATE TABLE notes (a_id int REFERENCES a)"
    )

    with pytest.raises(ConfigurationError, match=r"plain may not write public\.notes"):
        sync_as(pair, target=role)


def test_a_target_role_that_owns_nothing_can_sync_if_it_has_the_grants_to_write(
    databases: Databases, role: str
) -> None:
    pair = databases.pair(
        "CREATE TABLE a (id int PRIMARY KEY, v text)",
        source="INSERT INTO a VALUES (1, 'one')",
        target="INSERT INTO a VALUES (1, 'two')",
    )
    pair.target.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON a TO {role}")

    sync_as(pair, target=role)

    assert_same(pair)


def test_the_grant_is_named_if_the_target_role_may_not_create_temporary_tables(
    databases: Databases, role: str
) -> None:
    pair = databases.pair(ONE_TABLE, source=ONE_ROW, target=OTHER_ROW)
    pair.target.execute(
        f"ALTER TABLE a OWNER TO {role}; REVOKE TEMP ON DATABASE {pair.target.name} FROM PUBLIC"
    )

    with pytest.raises(ConfigurationError, match="may not create temporary tables") as refusal:
        sync_as(pair, target=role)

    run_statements_in(refusal.value, pair.target)
    sync_as(pair, target=role)
    assert_same(pair)


def test_a_dry_run_only_needs_to_read_the_target_and_says_what_a_sync_needs(
    databases: Databases, role: str
) -> None:
    pair = databases.pair(ONE_TABLE, source=ONE_ROW, target=OTHER_ROW)
    with pytest.raises(ConfigurationError, match=r'GRANT SELECT ON "public"\."a" TO "plain"'):
        sync_as(pair, target=role, dry_run=True)
    pair.target.execute(f"GRANT SELECT ON a TO {role}")

    result = sync_as(pair, target=role, dry_run=True)

    assert result.output()["rows_inserted"] == 1
    (warning,) = result.warnings
    assert warning.startswith("A sync that writes will be refused: The target role plain may not")
