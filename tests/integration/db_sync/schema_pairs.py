"""Pairs of test databases whose two schemas differ."""

from tests.support.databases import Databases, Pair


def make_pair(
    databases: Databases, source: str, target: str, source_rows: str = "", target_rows: str = ""
) -> Pair:
    """Return a source and a marked target of two schemas, with their rows."""
    pair = Pair(databases.make("", source), databases.make("", target))
    for database, rows in zip(pair, (source_rows, target_rows), strict=True):
        if rows:
            database.execute(rows)
    pair.target.mark()
    return pair


def make_pair_with_values(databases: Databases, source: str, target: str, *values: str) -> Pair:
    """Return the same, with `values` in the column `v` of the source's table `t`."""
    rows = "; ".join(
        f"INSERT INTO t VALUES ({key}, {value})" for key, value in enumerate(values, 1)
    )
    return make_pair(databases, source, target, rows)


def values_of(pair: Pair) -> list[str]:
    """Return what the target's table `t` has in its column `v`."""
    return [value for (value,) in pair.target.rows("SELECT v::text FROM t ORDER BY id")]
