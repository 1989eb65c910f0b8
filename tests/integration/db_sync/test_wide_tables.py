"""Tables with as many columns as PostgreSQL allows, and rows that fill a page."""

from common.postgres.connection.address import DatabaseAddress
from db_sync.rules import SyncRules
from tests.integration.db_sync.syncing import assert_same, own_tables, sync
from tests.support.databases import Databases, Pair

MOST_COLUMNS = 1600
MOST_BIGINTS = 1017  # they fill a page to its last byte: 24 + 1017 * 8 = 8160


def pair_of(databases: Databases, columns: int, kind: str, values: str) -> Pair:
    """Return a pair with a table of a key and other columns; the source has 100 rows."""
    rest = ", ".join(f"c{number} {kind}" for number in range(1, columns))
    return databases.pair(
        f"CREATE TABLE wide (id bigint PRIMARY KEY, {rest})",
        source=f"INSERT INTO wide SELECT i, {', '.join([values] * (columns - 1))}"
        " FROM generate_series(1, 100) i",
    )


def load_change_and_sync(
    pair: Pair,
    columns: int,
    other: str,
    target: DatabaseAddress,
    rules: SyncRules | None = None,
) -> None:
    """Load all rows, change some, sync that after a dry run, and check that nothing is left.

    `other`: the expression for another value of c1.
    """
    sync(pair, target=target, rules=rules)
    assert_same(pair)
    rest = ", ".join(f"c{number}" for number in range(1, columns))
    pair.source.execute(
        f"""
        UPDATE wide SET c1 = {other}, c{columns - 1} = c1 WHERE id IN (7, 50);
        INSERT INTO wide SELECT 101, {rest} FROM wide WHERE id = 7;
        DELETE FROM wide WHERE id = 20
        """
    )

    foreseen = sync(pair, target=target, rules=rules, dry_run=True).output()
    synced = sync(pair, target=target, rules=rules).output()

    counts = {"rows_inserted": 1, "rows_updated": 2, "rows_deleted": 1}
    assert counts.items() <= foreseen.items()
    assert counts.items() <= synced.items()
    assert_same(pair)
    assert sync(pair, target=target, rules=rules).status == "unchanged"


def test_a_table_with_the_maximum_number_of_columns_is_synced(databases: Databases) -> None:
    pair = pair_of(databases, MOST_COLUMNS, "bool", "random() < 0.5")
    for database in pair:
        database.execute("CREATE TABLE child (wide_id bigint REFERENCES wide)")

    load_change_and_sync(pair, MOST_COLUMNS, "NOT c1", own_tables(pair, "table_owner"))


def test_rows_that_fill_a_page_are_synced(databases: Databases) -> None:
    pair = pair_of(databases, MOST_BIGINTS, "bigint", "(random() * 1e12)::bigint")
    rules = SyncRules.parse('{"keep": ["public.wide.c5"]}')

    load_change_and_sync(pair, MOST_BIGINTS, "c1 + 1", pair.target.address, rules)
