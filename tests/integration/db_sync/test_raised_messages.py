"""Of what an application's function raises, a sync repeats only names that the catalog has."""

import pytest

from common.errors import SchemaMismatch, StagingSyncError
from tests.integration.db_sync.syncing import sync
from tests.support.databases import Databases, Pair
from tests.support.raising import ADDRESS, PLACES, STATES, raising


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("place", sorted(PLACES.keys() - {"a trigger"}))  # those do not fire
def test_a_sync_repeats_nothing_that_a_function_raises(
    databases: Databases, place: str, state: str
) -> None:
    pair = databases.pair(
        "CREATE TABLE t (id int PRIMARY KEY, v text)",
        source="INSERT INTO t VALUES (1, 'refused'), (2, 'b')",
        target="INSERT INTO t VALUES (1, 'a'), (2, 'b')",
    )
    pair.target.execute(raising(place, state, "t", "v"))

    assert_nothing_repeated(pair, state)
    pair.target.execute("DELETE FROM t")  # then its rows are replaced, not merged
    assert_nothing_repeated(pair, state)


def assert_nothing_repeated(pair: Pair, state: str) -> None:
    with pytest.raises(StagingSyncError) as caught:
        sync(pair)
    assert f"SQLSTATE {state}" in str(caught.value)
    assert "public.t" in str(caught.value)
    assert ADDRESS not in str(caught.value)


def test_names_that_the_catalog_has_are_repeated_whoever_raises_them(databases: Databases) -> None:
    pair = databases.pair(
        "CREATE TABLE t (id int PRIMARY KEY, v text); CREATE TABLE audit (email text);"
        "CREATE DOMAIN address AS text; ALTER TABLE audit ADD CONSTRAINT form CHECK (email <> '')",
        source="INSERT INTO t VALUES (1, 'a')",
    )
    pair.target.execute(
        "CREATE FUNCTION refuse(value text) RETURNS bool LANGUAGE plpgsql AS $$ BEGIN"
        " RAISE SQLSTATE '23514' USING SCHEMA = 'public', TABLE = 'audit', COLUMN = 'email',"
        " DATATYPE = 'address', CONSTRAINT = 'form'; END $$;"
        "ALTER TABLE t ADD CHECK (refuse(v))"
    )

    with pytest.raises(SchemaMismatch) as caught:
        sync(pair)

    said = str(caught.value)
    for named in ("table public.audit", "column email", "type public.address", "constraint form"):
        assert named in said
    assert "the constraint t_v_check of public.t was validated" in said


def test_a_unique_index_that_is_no_constraint_is_named(databases: Databases) -> None:
    pair = databases.pair(
        "CREATE TABLE t (id int PRIMARY KEY, v text)",
        source="INSERT INTO t VALUES (1, 'a'), (2, 'a')",
    )
    pair.target.execute("CREATE UNIQUE INDEX only_once ON t (v)")

    with pytest.raises(SchemaMismatch, match=r"table public\.t, constraint only_once"):
        sync(pair)
