"""Materialized views are refreshed when a table that they read was written.

Which tables a view reads through functions is unknown, so that such a view is always refreshed.
"""

from psycopg2 import sql

from common.errors import StagingSyncError
from common.postgres.database import Session
from common.postgres.locking.locks import Wanted, in_attempts
from common.postgres.names import Name
from common.postgres.queries import load_query
from common.postgres.settings.function_names import catalog_records, names_for_writing
from common.postgres.settings.replication_role import define
from common.reports.notices import Notice, Topic
from db_sync.plan.wording import quoted
from db_sync.run import Run


def refresh_views(run: Run, tables: list[int]) -> list[Notice]:
    """Refresh the materialized views that may read the given tables; return notices.

    A view that cannot be refreshed is left as it was, with a warning: the sync does not fail.

    Args:
        run: the run, whose target's session wrote.
        tables: oids of the tables that were written.

    Raises:
        OutOfTime: the time was up before one of them was refreshed.
    """
    target = run.target
    notices: list[Notice] = []
    if not tables:
        return []
    query = load_query("db_sync/write", "list_stale_views")
    for name in catalog_records(target, query, {"tables": tables}, Name):
        run.limit(f"the materialized view {name} was refreshed")
        try:
            _refresh(target, name)
        except StagingSyncError as error:
            text = f"The materialized view {name} was not refreshed: {error}"
            mend = f"REFRESH MATERIALIZED VIEW {quoted(*name)};"
            notices.append(Notice(text, Topic.ROWS, mend))
    return notices


def _refresh(target: Session, name: Name) -> None:
    """Refresh a view, whose lock is requested in attempts, as the tables' locks are.

    Raises:
        StagingSyncError: it could not be refreshed; it is as it was.
    """

    def refresh() -> None:
        with names_for_writing(target):
            define(target, sql.SQL("REFRESH MATERIALIZED VIEW {}").format(name.identifier))

    in_attempts(target, refresh, Wanted(what="It", tables=[name], readers=True))
