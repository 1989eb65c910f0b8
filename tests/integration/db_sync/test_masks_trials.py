"""The trial of masks: for roles with few rights, on a read replica, beside event triggers."""

from collections.abc import Iterator

import pytest

from common.errors import StagingSyncError
from sandbox.database import Database
from sandbox.postgres import temporary_server
from tests.integration.db_sync.masking import Masks, refusal, sync_masked
from tests.integration.db_sync.standby import Standby, standby_of
from tests.integration.db_sync.syncing import own_tables
from tests.support.databases import Databases, Pair

SCHEMA = """
CREATE TABLE people (id int PRIMARY KEY, name text, code varchar(30) UNIQUE,
    note text CONSTRAINT is_short CHECK (length(note) < 60));
"""
ROWS = """
INSERT INTO people SELECT i, 'Ada ' || i, 'code ' || i, 'a note ' || i
FROM generate_series(1, 300) i
"""
MASKS: Masks = {
    "public.people.name": {"with": "sql", "expression": "left({column}, 3) || id"},
    "public.people.code": "hash",
    "public.people.note": "text",
}
BREAKING: Masks = {
    **MASKS,
    "public.people.note": {"with": "sql", "expression": "repeat({column}, 9)"},
}
# Autovacuum may be at work on what was just inserted.
STATE = """
SELECT
    (SELECT count(*) FROM pg_class WHERE relpersistence = 't' AND relkind = 'r'),
    (SELECT count(*) FROM pg_locks l JOIN pg_class c ON c.oid = l.relation
        JOIN pg_stat_activity a ON a.pid = l.pid
        WHERE c.relnamespace = 'public'::regnamespace AND a.backend_type = 'client backend')
"""


def assert_synced(pair: Pair) -> None:
    assert pair.target.value("SELECT count(*) FROM people WHERE name ~ '^Ada[0-9]+$'") == 300
    assert pair.target.value("SELECT count(*) FROM people WHERE code ~ '^[0-9a-f]{30}$'") == 300
    assert pair.target.value("SELECT count(*) FROM people WHERE note LIKE 'a note %'") == 0


@pytest.mark.parametrize("masks", [MASKS, BREAKING], ids=["fit", "break a check"])
@pytest.mark.parametrize("dry_run", [False, True])
def test_the_trial_leaves_nothing_behind(
    databases: Databases, masks: Masks, *, dry_run: bool
) -> None:
    pair = databases.pair(SCHEMA, source=ROWS)

    if masks is BREAKING:
        (reason,) = refusal(pair, masks, dry_run=dry_run)
        assert "is_short" in reason
    else:
        sync_masked(pair, masks, dry_run=dry_run)

    assert [database.rows(STATE) for database in pair] == [[(0, 0)], [(0, 0)]]
    assert (pair.target.value("SELECT count(*) FROM people") == 0) == (dry_run or masks is BREAKING)


@pytest.mark.parametrize("dry_run", [True, False])
def test_masks_are_tried_by_roles_that_are_no_superusers(
    databases: Databases, role: str, *, dry_run: bool
) -> None:
    pair = databases.pair(SCHEMA, source=ROWS)
    pair.source.execute(f"GRANT SELECT ON people TO {role}")
    address = own_tables(pair, role)

    with pytest.raises(StagingSyncError, match="is_short"):
        sync_masked(
            pair, BREAKING, source=pair.source.address_as(role), target=address, dry_run=dry_run
        )
    result = sync_masked(
        pair, MASKS, source=pair.source.address_as(role), target=address, dry_run=dry_run
    )

    assert result.tables[0].rows_inserted == 300
    if not dry_run:
        assert_synced(pair)
        again = sync_masked(pair, MASKS, source=pair.source.address_as(role), target=address)
        assert again.status == "unchanged"


def test_a_role_with_rights_on_columns_only_is_told_of_the_right_that_it_lacks(
    databases: Databases, role: str
) -> None:
    pair = databases.pair(SCHEMA, source=ROWS)
    pair.source.execute(f"GRANT SELECT (id, name, code) ON people TO {role}")

    with pytest.raises(StagingSyncError, match="GRANT SELECT"):
        sync_masked(pair, MASKS, source=pair.source.address_as(role))


@pytest.mark.parametrize("does", ["RAISE EXCEPTION 'no DDL here';", "NULL;"])
def test_event_triggers_do_not_fire_at_the_trial(databases: Databases, does: str) -> None:
    pair = databases.pair(SCHEMA, source=ROWS)
    pair.target.execute(
        f"CREATE FUNCTION watch() RETURNS event_trigger LANGUAGE plpgsql AS $$BEGIN {does} END$$;"
        "CREATE EVENT TRIGGER watch ON ddl_command_start EXECUTE FUNCTION watch()"
    )

    sync_masked(pair, MASKS, dry_run=True)
    sync_masked(pair, MASKS)

    assert_synced(pair)


@pytest.fixture(scope="module")
def standby() -> Iterator[Standby]:
    """A standby; its primary is `standby.primary`."""
    with temporary_server() as primary, standby_of(primary) as running:
        yield running


@pytest.fixture
def production(standby: Standby) -> Iterator[Database]:
    """A database of the primary, which the standby replays."""
    on_primary = Databases(standby.primary)
    yield on_primary.make(SCHEMA, ROWS)
    on_primary.drop_all()


def test_masks_are_computed_on_a_read_replica(
    standby: Standby, production: Database, databases: Databases
) -> None:
    pair = Pair(standby.database(production.name), databases.make(SCHEMA))
    pair.target.mark()

    (reason,) = refusal(pair, BREAKING)
    sync_masked(pair, MASKS)

    assert "is_short" in reason
    assert_synced(pair)
    assert sync_masked(pair, MASKS).status == "unchanged"
