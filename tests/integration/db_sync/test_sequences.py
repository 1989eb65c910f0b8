"""Sequences follow production: nextval in staging returns what it would return in production."""

import pytest

from common.errors import ConfigurationError
from db_sync.run import SyncOptions
from db_sync.sync import sync_database
from tests.integration.db_sync.syncing import sync
from tests.support.databases import Databases

SERIAL = "CREATE TABLE t (id serial PRIMARY KEY); CREATE SEQUENCE free INCREMENT 5 MAXVALUE 100"


@pytest.mark.parametrize(
    ("state", "next_value"),
    [
        ("SELECT setval('free', 41)", 46),
        ("SELECT setval('free', 41, false)", 41),
        ("ALTER SEQUENCE free RESTART WITH 7", 7),
    ],
)
def test_the_next_value_is_the_same_as_in_production(
    databases: Databases, state: str, next_value: int
) -> None:
    pair = databases.pair(SERIAL, source=state, target="SELECT setval('free', 90)")

    result = sync(pair)

    assert result.sequences == ("public.free",)
    assert result.status == "synced"
    assert pair.target.value("SELECT nextval('free')") == next_value


def test_an_exhausted_sequence_is_exhausted_in_the_target_too(databases: Databases) -> None:
    pair = databases.pair(SERIAL, source="SELECT setval('free', 100)")

    sync(pair)

    assert pair.target.rows("SELECT last_value, is_called FROM free") == [(100, True)]
    assert sync(pair).status == "unchanged"


def test_sequences_are_rolled_back_with_everything_else(databases: Databases) -> None:
    pair = databases.pair(SERIAL, source="SELECT setval('free', 41); SELECT setval('t_id_seq', 9)")

    def refuse(_result: object) -> None:
        raise ConfigurationError("no bucket")

    with pytest.raises(ConfigurationError):
        sync_database(pair.source.address, pair.target.address, SyncOptions("test"), refuse)

    assert pair.target.rows("SELECT last_value, is_called FROM free") == [(1, False)]


def test_the_sequence_of_an_unsynced_table_is_left_alone(databases: Databases) -> None:
    pair = databases.pair(
        "CREATE TABLE schema_migrations (id serial PRIMARY KEY)",
        source="SELECT setval('schema_migrations_id_seq', 50)",
    )

    assert sync(pair).sequences == ()


def test_a_sequence_that_the_source_role_may_not_read_is_a_warning(databases: Databases) -> None:
    pair = databases.pair(SERIAL, source="SELECT setval('free', 41)")
    pair.source.execute("CREATE ROLE reader LOGIN; GRANT SELECT ON t TO reader")
    try:
        result = sync_database(
            pair.source.address_as("reader"), pair.target.address, SyncOptions("test")
        )
    finally:
        pair.source.execute("DROP OWNED BY reader; DROP ROLE reader")

    assert len(result.warnings) == 2
    granted = 'GRANT SELECT ON ALL SEQUENCES IN SCHEMA "public" TO "reader";'
    assert granted in result.warnings[0]


@pytest.mark.parametrize("position", [41, 100])  # 100: exhausted
def test_a_dry_run_leaves_sequences_alone(databases: Databases, position: int) -> None:
    pair = databases.pair(SERIAL, source=f"SELECT setval('free', {position})")

    assert sync(pair, dry_run=True).sequences == ("public.free",)
    assert pair.target.value("SELECT last_value FROM free") == 1


def test_a_partitions_sequence_is_not_mistaken_for_its_parents(databases: Databases) -> None:
    pair = databases.pair(
        """
        CREATE TABLE part (id serial PRIMARY KEY);
        CREATE TABLE orders (id serial PRIMARY KEY) PARTITION BY RANGE (id);
        ALTER TABLE orders ATTACH PARTITION part FOR VALUES FROM (1) TO (1000);
        """,
        source="INSERT INTO orders SELECT FROM generate_series(1, 50);"
        "SELECT setval('part_id_seq', 70)",
    )

    sync(pair)

    assert pair.target.value("SELECT nextval('orders_id_seq')") == 51
    assert pair.target.value("SELECT nextval('part_id_seq')") == 71
