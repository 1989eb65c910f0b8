"""Keys whose unique index has another collation than the column."""

import pytest

from tests.integration.db_sync.syncing import assert_same, own_tables, sync
from tests.support.databases import Databases

# Strings that differ only in case are equal.
CASELESS = """
CREATE COLLATION caseless (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
"""
STRICT_KEY = f"""
{CASELESS}
CREATE TABLE t (id text COLLATE caseless NOT NULL, v int, w text COLLATE caseless);
CREATE UNIQUE INDEX ON t (id COLLATE "C");
CREATE UNIQUE INDEX ON t (w COLLATE "C");
"""
CASELESS_KEY = f"""
{CASELESS}
CREATE TABLE t (id text NOT NULL, v int, w text);
CREATE UNIQUE INDEX ON t (id COLLATE caseless);
CREATE UNIQUE INDEX ON t (w COLLATE caseless);
"""


@pytest.mark.parametrize("is_owner", [False, True])
def test_keys_that_are_equal_in_the_column_but_not_in_its_index_are_different_rows(
    system_databases: Databases, is_owner: bool
) -> None:
    rows = """
        INSERT INTO t SELECT upper(word) || n, n, 'w' || n
            FROM generate_series(1, 100) n, unnest(ARRAY['a']) word;
        INSERT INTO t SELECT lower(id), -v, upper(w) FROM t;
        """
    pair = system_databases.pair(STRICT_KEY, source=rows, target=rows)
    pair.source.execute(
        "UPDATE t SET v = v * 1000 WHERE id COLLATE \"C\" IN ('A7', 'a8');"
        "DELETE FROM t WHERE id COLLATE \"C\" IN ('A9', 'a10');"
        "INSERT INTO t VALUES ('New', 1, 'x'), ('nEw', 2, 'X');"
        "UPDATE t SET w = 'y' || w WHERE v = 20; UPDATE t SET w = 'W20' WHERE v = -20"
    )
    target = own_tables(pair, "table_owner") if is_owner else None

    result = sync(pair, target=target)

    assert_same(pair)
    output = result.output()
    assert (output["rows_inserted"], output["rows_updated"], output["rows_deleted"]) == (2, 3, 2)
    assert sync(pair, target=target).status == "unchanged"


@pytest.mark.parametrize("is_owner", [False, True])
def test_keys_that_are_equal_only_in_the_index_change_their_case(
    system_databases: Databases, is_owner: bool
) -> None:
    rows = "INSERT INTO t SELECT 'Key ' || n, n, 'W' || n FROM generate_series(1, 200) n;"
    pair = system_databases.pair(CASELESS_KEY, source=rows, target=rows)
    pair.source.execute(
        "UPDATE t SET id = lower(id) WHERE v IN (3, 150); UPDATE t SET w = lower(w) WHERE v = 4;"
        "UPDATE t SET w = NULL WHERE v = 5; UPDATE t SET w = 'w5' WHERE v = 6"
    )
    target = own_tables(pair, "table_owner") if is_owner else None

    sync(pair, target=target)

    assert_same(pair)
    assert sync(pair, target=target).status == "unchanged"
