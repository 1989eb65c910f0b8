"""Memory does not grow with the number of rows."""

import os
import sys

from tests.integration.db_sync.syncing import assert_same
from tests.support.databases import Databases, Pair

MEBIBYTE = 2**20


def peak_memory(pair: Pair) -> int:
    """Sync with the command, and return the peak memory of its process, in bytes."""
    arguments = ["-m", "db_sync", "--source", pair.source.url, "--target", pair.target.url]
    process = os.posix_spawn(
        sys.executable,
        [sys.executable, *arguments, "--json"],
        os.environ,
        file_actions=[(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)],
    )
    _, status, usage = os.wait4(process, 0)
    assert status == 0
    return usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def test_the_process_does_not_grow_with_the_table(databases: Databases) -> None:
    schema = "CREATE TABLE t (id int PRIMARY KEY, v text); CREATE TABLE keyless (v text)"
    rows = "INSERT INTO t SELECT i, repeat('x', 1000) FROM generate_series(1, {n}) i;"
    small = databases.pair(schema, source=rows.format(n=10))
    # 100 MiB to load, 50 MiB to merge.
    large = databases.pair(schema, source=rows.format(n=100_000), target=rows.format(n=50_000))

    growth = peak_memory(large) - peak_memory(small)

    assert_same(large)
    assert growth < 20 * MEBIBYTE


def test_a_large_value_in_a_row_with_an_enum_takes_three_times_its_size(
    databases: Databases,
) -> None:
    schema = "CREATE TYPE mood AS ENUM ('ok'); CREATE TABLE t (id int PRIMARY KEY, m mood, v bytea)"
    rows = "INSERT INTO t VALUES (1, 'ok', convert_to(repeat('x', {n}), 'UTF8'))"
    large = 30 * MEBIBYTE

    growth = peak_memory(databases.pair(schema, source=rows.format(n=large))) - peak_memory(
        databases.pair(schema, source=rows.format(n=1))
    )

    assert growth < 3.5 * large
