"""Which tables are truncated before they are filled, as the files of the tables tell."""

import pytest

from tests.integration.db_sync.syncing import assert_same, sync
from tests.support.databases import Databases, Pair

PARENT_AND_CHILD = """
CREATE TABLE parents (id int PRIMARY KEY);
CREATE TABLE children (id int PRIMARY KEY, parent int REFERENCES parents);
"""
ROWS = """
INSERT INTO parents SELECT generate_series(1, 3000);
INSERT INTO children SELECT i, i FROM generate_series(1, 10) i;
"""


def files(pair: Pair) -> dict[str, int]:
    """Return the file of each of the target's tables; TRUNCATE gives a table a new one."""
    return dict(
        pair.target.rows(
            "SELECT relname, pg_relation_filenode(oid)::bigint FROM pg_class"
            " WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
        )
    )


def test_small_tables_that_are_empty_are_filled_as_they_are(databases: Databases) -> None:
    pair = databases.pair(PARENT_AND_CHILD, source=ROWS)
    before = files(pair)

    sync(pair)

    assert_same(pair)
    assert files(pair) == before


@pytest.mark.parametrize("is_key_valid", [True, False])
def test_a_table_with_rows_is_truncated_together_with_an_empty_one_that_refers_to_it(
    databases: Databases, *, is_key_valid: bool
) -> None:
    pair = databases.pair(
        PARENT_AND_CHILD, source=ROWS, target="INSERT INTO parents SELECT -generate_series(1, 3000)"
    )
    if not is_key_valid:
        pair.source.execute("ALTER TABLE children DROP CONSTRAINT children_parent_fkey")
    before = files(pair)

    sync(pair)

    assert_same_rows(pair)
    assert files(pair)["parents"] != before["parents"]


def assert_same_rows(pair: Pair) -> None:
    """Compare the rows; the schemas differ."""
    for table in ("parents", "children"):
        query = f"SELECT * FROM {table} ORDER BY id"
        assert pair.target.rows(query) == pair.source.rows(query)
