"""Many tables are planned in a time that grows with their number, and not with its square."""

from common.postgres.database import connect
from common.postgres.queries import load_query
from common.postgres.settings.transaction_settings import REPEATABLE_READ
from db_sync.planner import prepare, sorting
from tests.support.databases import Databases

TABLES = 300
MOST_PAGES = 100  # for each table; those of the catalogs' indexes among them


def test_reading_columns_of_the_same_names_does_not_read_those_of_all_tables_for_each(
    databases: Databases,
) -> None:
    table = "CREATE TABLE t{} (id int PRIMARY KEY, email text UNIQUE, created_at timestamptz);"
    database = databases.make("".join(map(table.format, range(TABLES))))
    oids = [oid for (oid,) in database.rows("SELECT oid FROM pg_class WHERE relname ~ '^t[0-9]+$'")]
    query = load_query("db_sync/plan", "list_columns")

    with connect(database.address, "source", execution="") as session:
        session.begin(REPEATABLE_READ)
        prepare(session)
        with sorting(session):
            ((plan,),) = session.rows(
                f"EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) {query}", [oids]
            )

    assert plan[0]["Plan"]["Shared Hit Blocks"] < TABLES * MOST_PAGES
