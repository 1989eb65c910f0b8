"""Materialized views follow the tables that they are made of."""

from psycopg2 import sql

from common.database import Session
from common.errors import StagingSyncError
from common.names import Name
from common.queries import load_query


def refresh_views(target: Session, tables: list[int]) -> list[str]:
    """Refresh the materialized views that read the given tables; return warnings.

    A view that cannot be refreshed is left as it was: it is no reason to give up the sync.

    Args:
        target: the session that wrote.
        tables: oids of the tables that were written.
    """
    warnings: list[str] = []
    for schema, view in target.rows(load_query("db_sync", "list_stale_views"), [tables, tables]):
        name = Name(schema, view)
        target.execute("SAVEPOINT refresh")
        try:
            with target.default_search_path():
                target.execute(sql.SQL("REFRESH MATERIALIZED VIEW {}").format(name.identifier))
        except StagingSyncError as error:
            target.execute("ROLLBACK TO SAVEPOINT refresh")
            warnings.append(f"The materialized view {name} was not refreshed: {error}")
        target.execute("RELEASE SAVEPOINT refresh")
    return warnings
