"""The target's event triggers do not fire on a sync's own statements, or the sync is refused."""

import pytest

from common.errors import ConfigurationError
from db_sync.rules import SyncRules
from tests.integration.db_sync.syncing import assert_same, own_tables, sync
from tests.support.databases import Databases, Pair

# Tables to merge, and one to replace with its index; a foreign key, a trigger and checks that are
# dropped or disabled meanwhile; a view and a sequence that follow; and a log that is synced itself.
SCHEMA = """
CREATE DOMAIN positive AS int;
ALTER DOMAIN positive ADD CONSTRAINT more CHECK (VALUE > 0) NOT VALID;
CREATE TABLE parent (id serial PRIMARY KEY, v text);
CREATE TABLE child (id int PRIMARY KEY, parent_id int REFERENCES parent ON DELETE CASCADE);
CREATE TABLE whole (id int PRIMARY KEY, v positive);
ALTER TABLE whole ADD CHECK (v > 0) NOT VALID;
CREATE INDEX ON whole (v);
CREATE MATERIALIZED VIEW total AS SELECT count(*) FROM parent;
CREATE TABLE ddl_log (line text);
CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER always AFTER INSERT ON parent EXECUTE FUNCTION nothing();
ALTER TABLE parent ENABLE ALWAYS TRIGGER always;
"""
DEFERRABLE = SCHEMA + "ALTER TABLE parent ADD UNIQUE (v) DEFERRABLE;"
PRODUCTION = """
INSERT INTO parent (v) SELECT 'parent ' || i FROM generate_series(1, 500) i;
INSERT INTO child SELECT i, i FROM generate_series(1, 500) i;
INSERT INTO whole SELECT i, i FROM generate_series(1, 20000) i;
ANALYZE;
"""
STAGING = """
INSERT INTO parent (v) SELECT 'parent ' || i FROM generate_series(1, 490) i;
UPDATE parent SET v = 'old' WHERE id = 7;
INSERT INTO child SELECT i, i FROM generate_series(1, 490) i;
REFRESH MATERIALIZED VIEW total;
"""
LOGS = "INSERT INTO public.ddl_log VALUES (tg_event || ' ' || tg_tag);"
FORBIDS = "RAISE EXCEPTION 'no DDL here';"


def add_event_trigger(
    pair: Pair, does: str, event: str = "ddl_command_end", when: str = "", state: str = "ENABLE"
) -> None:
    pair.target.execute(
        f"""
        CREATE FUNCTION watch() RETURNS event_trigger LANGUAGE plpgsql AS $$BEGIN {does} END$$;
        CREATE EVENT TRIGGER watch ON {event} {when} EXECUTE FUNCTION watch();
        ALTER EVENT TRIGGER watch {state};
        """
    )


@pytest.fixture(params=[SCHEMA, DEFERRABLE], ids=["plain", "deferrable"])
def pair(databases: Databases, request: pytest.FixtureRequest) -> Pair:
    return databases.pair(request.param, source=PRODUCTION, target=STAGING)


either_kind = pytest.mark.parametrize("does", [LOGS, FORBIDS], ids=["logs", "forbids"])


@either_kind
@pytest.mark.parametrize("event", ["ddl_command_start", "ddl_command_end", "sql_drop"])
@pytest.mark.parametrize("state", ["ENABLE", "ENABLE ALWAYS", "ENABLE REPLICA"])
def test_they_do_not_fire_for_a_superuser(
    databases: Databases, does: str, event: str, state: str
) -> None:
    pair = databases.pair(DEFERRABLE, source=PRODUCTION, target=STAGING)
    add_event_trigger(pair, does, event, state=state)

    sync(pair)

    assert_same(pair)
    assert pair.target.value("SELECT count(*) FROM total") == 1


def test_they_do_not_fire_when_all_tables_are_written_as_a_replica(databases: Databases) -> None:
    pair = databases.pair(SCHEMA, source=PRODUCTION, target=STAGING)
    add_event_trigger(pair, LOGS)

    sync(pair)

    assert_same(pair)


@either_kind
def test_they_do_not_fire_in_a_dry_run(pair: Pair, does: str) -> None:
    add_event_trigger(pair, does)
    before = pair.target.contents()

    assert sync(pair, dry_run=True).status == "dry_run"

    assert pair.target.contents() == before


@pytest.mark.parametrize("dry_run", [False, True])
@pytest.mark.parametrize("when", ["", "WHEN tag IN ('CREATE TABLE AS', 'CREATE FUNCTION')"])
def test_an_owner_is_refused_before_they_fire(pair: Pair, when: str, dry_run: bool) -> None:
    # A rollback does not return a number that was drawn from a sequence.
    pair.target.execute("CREATE SEQUENCE fired; GRANT ALL ON SEQUENCE fired TO public")
    add_event_trigger(pair, "PERFORM nextval('public.fired');", when=when)
    owner = own_tables(pair, "table_owner")
    pair.target.execute("SELECT setval('fired', 1, false)")
    before = pair.target.contents()

    with pytest.raises(ConfigurationError, match=r'watch.*"event_triggers_ok": true'):
        sync(pair, target=owner, dry_run=dry_run)

    assert pair.target.contents() == before
    assert pair.target.rows("SELECT last_value, is_called FROM fired") == [(1, False)]


def test_an_owner_syncs_if_the_rules_say_that_they_do_no_harm(pair: Pair) -> None:
    add_event_trigger(pair, "NULL;")
    owner = own_tables(pair, "table_owner")
    rules = SyncRules.parse('{"event_triggers_ok": true}')

    result = sync(pair, target=owner, rules=rules)

    assert_same(pair)
    assert any("watch" in warning for warning in result.warnings)


@pytest.mark.parametrize(
    ("event", "when", "state"),
    [
        ("ddl_command_end", "", "DISABLE"),
        ("ddl_command_end", "", "ENABLE REPLICA"),
        ("ddl_command_end", "WHEN tag IN ('CREATE FUNCTION')", "ENABLE"),
        ("table_rewrite", "", "ENABLE"),
    ],
)
def test_an_owner_is_not_refused_because_of_those_that_do_not_fire(
    databases: Databases, event: str, when: str, state: str
) -> None:
    pair = databases.pair(SCHEMA, source=PRODUCTION, target=STAGING)
    add_event_trigger(pair, FORBIDS, event, when, "DISABLE")
    owner = own_tables(pair, "table_owner")
    pair.target.execute(f"ALTER EVENT TRIGGER watch {state}")

    result = sync(pair, target=owner)

    assert_same(pair)
    assert not any("watch" in warning for warning in result.warnings)


def test_they_do_not_fire_for_an_owner_that_may_act_as_a_replica(pair: Pair) -> None:
    owner = own_tables(pair, "replica_owner")
    pair.target.execute("GRANT SET ON PARAMETER session_replication_role TO replica_owner")
    add_event_trigger(pair, LOGS)
    try:
        sync(pair, target=owner)
    finally:
        pair.target.execute("REVOKE SET ON PARAMETER session_replication_role FROM replica_owner")

    assert_same(pair)


def test_an_owner_that_may_act_as_a_replica_is_refused_because_of_those_that_always_fire(
    pair: Pair,
) -> None:
    owner = own_tables(pair, "replica_owner")
    pair.target.execute("GRANT SET ON PARAMETER session_replication_role TO replica_owner")
    add_event_trigger(pair, LOGS, state="ENABLE ALWAYS")
    before = pair.target.contents()
    try:
        with pytest.raises(ConfigurationError, match="watch"):
            sync(pair, target=owner)
    finally:
        pair.target.execute("REVOKE SET ON PARAMETER session_replication_role FROM replica_owner")

    assert pair.target.contents() == before
