"""Syncs with roles that lack some rights."""

import re

from common.reports.sync import SyncResult
from db_sync.rules import SyncRules
from db_sync.run import SyncOptions
from db_sync.sync import sync_database
from sandbox.database import Database
from tests.support.databases import Pair


def sync_as(
    pair: Pair,
    *,
    source: str = "postgres",
    target: str = "postgres",
    dry_run: bool = False,
    rules: SyncRules | None = None,
) -> SyncResult:
    schema = pair.target.schema()
    result = sync_database(
        pair.source.address_as(source),
        pair.target.address_as(target),
        SyncOptions("test", rules or SyncRules(), dry_run),
    )
    assert pair.target.schema() == schema
    return result


def statements_in(message: str) -> list[str]:
    """Return the statements that an error's message says to run."""
    return re.findall(r"(?:GRANT|ALTER|CREATE) [^;]+;", message)


def run_statements_in(error: BaseException, database: Database) -> None:
    """Run what an error's message says to run."""
    for statement in statements_in(str(error)):
        database.execute(statement)
