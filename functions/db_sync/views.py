"""Materialized views follow the tables that they are made of."""

from psycopg2 import sql

from common.errors import StagingSyncError
from common.names import Name
from common.queries import load_query
from db_sync.run import Run


def refresh_views(run: Run, tables: list[int]) -> list[str]:
    """Refresh the materialized views that read the given tables; return warnings.

    A view that cannot be refreshed is left as it was: it is no reason to give up the sync.

    Args:
        run: the run, whose target's session wrote.
        tables: oids of the tables that were written.

    Raises:
        OutOfTime: the time is up before one of them.
    """
    target = run.target
    warnings: list[str] = []
    for schema, view in target.rows(load_query("db_sync", "list_stale_views"), [tables, tables]):
        name = Name(schema, view)
        run.limit(f"the materialized view {name} was refreshed")
        target.execute("SAVEPOINT refresh")
        try:
            with target.default_search_path():
                target.execute(sql.SQL("REFRESH MATERIALIZED VIEW {}").format(name.identifier))
        except StagingSyncError as error:
            target.execute("ROLLBACK TO SAVEPOINT refresh")
            warnings.append(f"The materialized view {name} was not refreshed: {error}")
        target.execute("RELEASE SAVEPOINT refresh")
    return warnings
