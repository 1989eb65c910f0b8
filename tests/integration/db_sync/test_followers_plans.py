"""How PostgreSQL joins rows that follow with the people whose subs they hold."""

from collections.abc import Iterator
from typing import Any

from psycopg2 import sql

from common.postgres.database import connect
from db_sync.compare.ranges import divide
from db_sync.plan.catalog import Catalogs
from db_sync.plan.catalog_reading import read_catalog
from db_sync.plan.planning import make_plan
from db_sync.statements import target_value
from db_sync.tuning import Tuning
from tests.integration.db_sync.following import USERS, WISHLISTS, rules
from tests.support.databases import Databases

PEOPLE = """
INSERT INTO public.wishlists SELECT i, i FROM generate_series(1, 3000) i;
CREATE TEMPORARY TABLE pg_temp.staging_sync_people_0 AS
SELECT i::text COLLATE "C" AS source_sub, i::text COLLATE "C" AS target_sub
FROM generate_series(1, 5000) i;
CREATE UNIQUE INDEX ON pg_temp.staging_sync_people_0 (target_sub);
ANALYZE
"""


def loops_of(plan: dict[str, Any], table: str) -> Iterator[int]:
    """Yield how often the nodes of a plan that read a table were executed."""
    if plan.get("Relation Name") == table:
        yield plan["Actual Loops"]
    for inner in plan.get("Plans", []):
        yield from loops_of(inner, table)


def test_people_are_read_once_however_many_ranges_are_compared(databases: Databases) -> None:
    database = databases.make(USERS + WISHLISTS.format(type="text"))
    with connect(database.address, "target", execution="test") as target, target.transaction():
        catalog = read_catalog(target)
        plan = make_plan(Catalogs(catalog, catalog), rules("wishlists.owner_sub"))
        (table,) = (each for each in plan.tables if each.target.following)
        target.execute(PEOPLE)
        # As PostgreSQL does with a large table, where it expects thousands of rows in a range.
        target.set_local(enable_indexscan="off", enable_bitmapscan="off")
        ranges = divide(target, table, 3000, Tuning())
        query = ranges.row_hashes(table.target, target_value, range(ranges.greatest))

        (found,) = target.row(
            sql.SQL("EXPLAIN (ANALYZE, TIMING off, FORMAT JSON) {}").format(query)
        )

    assert ranges.greatest > 10
    assert list(loops_of(found[0]["Plan"], "staging_sync_people_0")) == [1]
