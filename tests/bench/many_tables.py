"""Many small tables: of 200 rows each, and every fifth refers to the table before it."""

from collections.abc import Iterable
from itertools import batched

from tests.bench.measure import Watched
from tests.bench.servers import Servers

TABLES = 1000  # at scale 1
AT_ONCE = 50  # tables that are created in one transaction
REFERRING = 5  # one in so many tables refers to another
TABLE = """
CREATE TABLE t{number} (
    id serial PRIMARY KEY, email text UNIQUE, amount numeric, at timestamptz{reference}
);
"""
REFERENCE = ", parent_id integer NOT NULL REFERENCES t{parent}"
ROWS = """
INSERT INTO t{number} (email, amount, at{column})
SELECT 'user' || i, i / 7.0, timestamptz '2020-01-01' + i * interval '1 day'{value}
FROM generate_series(1, 200) i;
"""
# The probes' statements: the write changes nothing, so that both sides stay equal.
WATCHED = Watched(
    ("SELECT * FROM t0 WHERE id = 1",), ("UPDATE t0 SET amount = amount WHERE id = 1",)
)


def count(scale: float) -> int:
    """Return how many tables there are at a scale; 1 is the reference."""
    return max(REFERRING, round(TABLES * scale))


def add(servers: Servers, numbers: Iterable[int]) -> None:
    """Create tables on both servers, and fill the source's; their numbers follow one another."""
    for some in batched(numbers, AT_ONCE):
        tables = "".join(map(_table, some))
        servers.target.execute(tables)
        servers.source.execute(tables, "".join(map(_rows, some)))


def empty_target(servers: Servers) -> int:
    """Empty the target's tables; return 0, since the source was not changed."""
    query = "SELECT string_agg(relid::regclass::text, ', ') FROM pg_stat_user_tables"
    servers.target.execute(f"TRUNCATE {servers.target.value(query)}")
    return 0


def _refers(number: int) -> bool:
    return number % REFERRING == REFERRING - 1


def _table(number: int) -> str:
    reference = REFERENCE.format(parent=number - 1) if _refers(number) else ""
    return TABLE.format(number=number, reference=reference)


def _rows(number: int) -> str:
    column, value = (", parent_id", ", i") if _refers(number) else ("", "")
    return ROWS.format(number=number, column=column, value=value)
